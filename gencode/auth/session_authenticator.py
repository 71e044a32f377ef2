"""The interface of what authenticates the access tokens of accounts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gencode.auth.authentication import Authentication


class SessionAuthenticator(Protocol):
    @property
    def is_required(self) -> bool:
        """Whether there are accounts, so that a request without a key or a token is refused."""
        ...

    def has_principal(self, principal_id: str) -> bool:
        """Whether the principal, by the form of its id, is the user of an account."""
        ...

    async def authenticate(self, token: str) -> Authentication:
        """Raises Unauthorized for a token that is not genuine, has expired, or whose session is over."""
        ...

    async def authenticate_session(self, session_id: str) -> Authentication:
        """The authentication of the session that a ticket was given to. Raises Unauthorized if it is over."""
        ...

    def is_valid(self, authentication: Authentication) -> bool:
        """Whether the session of the authentication is not known to be over."""
        ...

    async def check(self, authentications: Collection[Authentication]) -> None:
        """Looks up whether they are valid, for `is_valid`: another process may have ended a session."""
        ...
