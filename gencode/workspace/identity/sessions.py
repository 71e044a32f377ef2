"""Sessions: opened by a login, continued by refresh tokens, ended by a logout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.errors import SessionEnded
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.identity.tables import User, UserSession
from gencode.workspace.identity.tokens import RefreshClaims, SessionTokens
from gencode.workspace.tables import now

REFRESH_GRACE = timedelta(seconds=30)
"""How long the predecessor of a refresh token still gets that token: tabs refresh at the same time, and
replies are lost."""
MAX_OPEN = 100
"""Sessions of a user. One more ends the one that was not used for longest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPair:
    """`expires_in`: seconds, of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Where a session was opened, for the list of sessions."""

    user_agent: str = ""
    address: str = ""


class Sessions:
    """refresh_days  after its last refresh, a session is over
    on_end        called with the ids of sessions that end
    """

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        audit: AuditLog,
        refresh_days: int,
        on_end: Callable[[Sequence[str]], None] = lambda ids: None,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._audit = audit
        self._lifetime = timedelta(days=refresh_days)
        self._on_end = on_end

    async def open(self, user: User, client: Client) -> TokenPair:
        at = now()
        opened = UserSession(
            user_id=user.id,
            sequence=0,
            rotated_at=at,
            expires_at=at + self._lifetime,
            user_agent=client.user_agent[:300],
            address=client.address[:64],
        )
        async with self._database.transaction() as session:
            await session.execute(delete(UserSession).where(UserSession.expires_at < at))
            replaced = await self._end_oldest(session, user.id, client.address)
            session.add(opened)
            await session.flush()
            await self._record(session, opened, "session.opened", principal_id(user.id), client.address)
        self.report_end(replaced)
        return self._pair(opened)

    async def _end_oldest(self, session: AsyncSession, user_id: str, address: str) -> Sequence[str]:
        """Ends those that were not used for longest, so that one more may be opened; returns their ids."""
        query = select(UserSession).where(_is_open(user_id)).order_by(UserSession.rotated_at.desc())
        replaced = (await session.scalars(query.offset(MAX_OPEN - 1).with_for_update())).all()
        for one in replaced:
            one.ended_at = now()
            await self._record(session, one, "session.replaced", principal_id(user_id), address)
        return [one.id for one in replaced]

    async def refresh(self, refresh_token: str, client: Client) -> TokenPair:
        """The successor of a refresh token. Within REFRESH_GRACE the predecessor of the present token gets
        the present token again; any older one ends the session, since a thief may have it. Raises
        SessionEnded."""
        claims = self._tokens.read_refresh_token(refresh_token)
        async with self._database.transaction() as session:
            found = await self._continued(session, claims) if claims else None
            is_reused = claims is not None and found is not None and not self._rotate(found, claims)
            if is_reused and found:
                found.ended_at = now()
                await self._record(
                    session, found, "session.token_reused", principal_id(found.user_id), client.address
                )
        if found is None:
            raise SessionEnded("this session is over: log in again")
        if is_reused:
            self.report_end([found.id])
            raise SessionEnded("this refresh token was used before, so its session was ended: log in again")
        return self._pair(found)

    def _rotate(self, found: UserSession, claims: RefreshClaims) -> bool:
        """Whether the token may be exchanged; the session then has its successor."""
        at = now()
        if claims.sequence == found.sequence:
            found.sequence, found.rotated_at, found.expires_at = found.sequence + 1, at, at + self._lifetime
            return True
        return claims.sequence == found.sequence - 1 and at - found.rotated_at <= REFRESH_GRACE

    async def _continued(self, session: AsyncSession, claims: RefreshClaims) -> UserSession | None:
        """The session of the token, locked, if neither it nor its user has come to an end."""
        found = await session.get(UserSession, claims.session_id, with_for_update=True)
        if found is None or found.ended_at or found.expires_at <= now():
            return None
        user = await session.get(User, found.user_id)
        return found if user and user.is_active and not user.is_deleted else None

    async def of_user(self, user_id: str) -> Sequence[UserSession]:
        """Those that are not over, the newest first."""
        query = select(UserSession).where(_is_open(user_id))
        async with self._database.transaction() as session:
            return (await session.scalars(query.order_by(UserSession.created_at.desc()))).all()

    async def end(self, user_id: str, session_id: str, actor: Actor) -> None:
        """Raises NotFound, also for the session of another user."""
        async with self._database.transaction() as session:
            found = await session.get(UserSession, session_id, with_for_update=True)
            if found is None or found.user_id != user_id:
                raise NotFound("there is no such session")
            if found.ended_at is None:
                found.ended_at = now()
                await self._record(session, found, "session.ended", actor.id, actor.address)
        self.report_end([session_id])

    async def end_within(
        self, session: AsyncSession, user_id: str, actor: Actor, but: str = ""
    ) -> Sequence[str]:
        """Ends the user's sessions in a transaction of the caller, which passes the returned ids to
        `report_end` after it. `but`: the id of one that goes on."""
        chosen = (UserSession.user_id == user_id) & UserSession.ended_at.is_(None) & (UserSession.id != but)
        ended = (await session.scalars(select(UserSession).where(chosen).with_for_update())).all()
        for one in ended:
            one.ended_at = now()
            await self._record(session, one, "session.ended", actor.id, actor.address)
        return [one.id for one in ended]

    def report_end(self, ids: Sequence[str]) -> None:
        if ids:
            self._on_end(ids)

    def _pair(self, opened: UserSession) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.access_token(opened.user_id, opened.id, now()),
            refresh_token=self._tokens.refresh_token(opened.id, opened.sequence),
            expires_in=self._tokens.access_seconds,
        )

    async def _record(
        self, session: AsyncSession, about: UserSession, action: str, actor: str, address: str
    ) -> None:
        change = Change(actor=actor, action=action, subject=f"session:{about.id}", address=address)
        await self._audit.append(session, change)


def _is_open(user_id: str) -> ColumnElement[bool]:
    is_over = UserSession.ended_at.is_not(None) | (UserSession.expires_at <= now())
    return (UserSession.user_id == user_id) & ~is_over
