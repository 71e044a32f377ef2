"""Who changes something, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "user:"
"""No API key has a name with a colon."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """`id`: of the principal. `address`: where the request came from."""

    id: str
    address: str = ""


def principal_id(user_id: str) -> str:
    """The id of a user's principal."""
    return f"{PREFIX}{user_id}"


def user_id_of(principal: str) -> str | None:
    """The inverse of `principal_id`; None for a principal that is no user."""
    return principal.removeprefix(PREFIX) if principal.startswith(PREFIX) else None
