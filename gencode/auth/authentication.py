"""The result of an authentication."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.domain.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Authentication:
    """An authenticated principal.

    key_digest  the SHA-256 of its API key; empty for a ticket, an account, or if no key is required
    session_id  of the session of an account; empty for others
    """

    principal: Principal
    key_digest: bytes = b""
    session_id: str = ""
