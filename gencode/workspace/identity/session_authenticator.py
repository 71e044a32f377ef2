"""Authenticates access tokens: the token by its signature, its session and its user by the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gencode.auth.authentication import Authentication
from gencode.domain.errors import Unauthorized
from gencode.domain.principal import OPERATOR, Principal, PrincipalKind
from gencode.workspace.database import Database
from gencode.workspace.identity.actor import principal_id, user_id_of
from gencode.workspace.identity.tables import User, UserRole, UserSession, has_users
from gencode.workspace.identity.tokens import SessionTokens
from gencode.workspace.tables import now

FRESH_SECONDS = 1.0
"""How long a session that was looked up is taken to be valid. What this process ends is invalid at once."""
MAX_KNOWN = 10_000
OVER = "this session is over: log in again, or refresh the access token"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """principal  None for a session that is over"""

    principal: Principal | None
    until: float


class DatabaseSessionAuthenticator:
    """See gencode.auth.session_authenticator. `clock`: seconds."""

    def __init__(
        self, database: Database, tokens: SessionTokens, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._ended: dict[str, None] = {}
        self._has_accounts = False

    @property
    def is_required(self) -> bool:
        return self._has_accounts

    def require(self) -> None:
        """To be called when there are accounts; they are required until the process ends."""
        self._has_accounts = True

    def has_principal(self, principal: str) -> bool:
        return user_id_of(principal) is not None

    async def authenticate(self, token: str) -> Authentication:
        claims = self._tokens.read_access_token(token)
        if claims is None:
            raise Unauthorized(
                "this access token is not genuine, or has expired: refresh it, or log in again"
            )
        found = await self.authenticate_session(claims.session_id)
        if found.principal.id != principal_id(claims.user_id):
            raise Unauthorized(OVER)
        return found

    async def authenticate_session(self, session_id: str) -> Authentication:
        known = self._known.get(session_id)
        if known is None or known.until <= self._clock():
            await self._look_up([session_id])
            known = self._known[session_id]
        if known.principal is None:
            raise Unauthorized(OVER)
        return Authentication(principal=known.principal, session_id=session_id)

    def is_valid(self, authentication: Authentication) -> bool:
        known = self._known.get(authentication.session_id)
        return known is None or known.principal is not None

    async def check(self, authentications: Collection[Authentication]) -> None:
        await self._look_for_accounts()
        if ids := {one.session_id for one in authentications if one.session_id}:
            await self._look_up(list(ids))

    def end(self, session_ids: Sequence[str]) -> None:
        """To be called when this process has ended sessions: they are invalid at once."""
        for session_id in session_ids:
            self._ended[session_id] = None
            self._remember(session_id, None)
        while len(self._ended) > MAX_KNOWN:
            del self._ended[next(iter(self._ended))]

    async def _look_for_accounts(self) -> None:
        """A command, or another process, may have made the first one."""
        if not self._has_accounts:
            async with self._database.transaction() as session:
                self._has_accounts = await has_users(session)

    async def _look_up(self, ids: Sequence[str]) -> None:
        query = select(UserSession, User).join(User, User.id == UserSession.user_id)
        async with self._database.transaction() as session:
            rows = (await session.execute(query.where(UserSession.id.in_(ids)))).all()
        found = {one.id: _principal(user) for one, user in rows if _is_open(one, user)}
        for session_id in ids:
            is_over = session_id in self._ended  # since it was read
            self._remember(session_id, None if is_over else found.get(session_id))

    def _remember(self, session_id: str, principal: Principal | None) -> None:
        self._known.pop(session_id, None)
        self._known[session_id] = _Known(principal=principal, until=self._clock() + FRESH_SECONDS)
        while len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]


def _is_open(session: UserSession, user: User) -> bool:
    return session.ended_at is None and session.expires_at > now() and user.is_active and not user.is_deleted


def _principal(user: User) -> Principal:
    roles = frozenset({user.role, OPERATOR}) if user.role == UserRole.ADMIN else frozenset({user.role})
    return Principal(id=principal_id(user.id), kind=PrincipalKind.USER, roles=roles)
