"""Errors of the sandbox."""

from __future__ import annotations

from gencode.domain.errors import RetryHelps, Transient


class SandboxFailed(Transient):
    """The sandbox could not be started, or broke. What the program in it did is never such an error."""

    code = "SANDBOX_FAILED"
    retry_helps = RetryHelps.LATER
