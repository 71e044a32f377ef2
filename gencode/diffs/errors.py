"""Errors of reading and making diffs. All are the caller's to mend: 422, permanent."""

from __future__ import annotations

from gencode.domain.errors import Invalid


class DiffError(Invalid):
    """A diff cannot be read or made."""

    def __init__(self, message: str) -> None:
        super().__init__(message, [])


class PatchError(DiffError):
    """The uploaded text is not a patch, or is damaged. The message names the line of the patch."""


class DiffTooLarge(DiffError):
    """The diff exceeds a limit, which the message names."""


class MissingObject(DiffError):
    """The repository does not hold an object that the diff needs, for example in a shallow clone."""
