"""Creates, changes and deletes users, and checks their passwords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.http.fair_limiter import FairLimiter
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.errors import AlreadyTaken, LastAdmin, LoginFailed
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.identity.login_attempts import LoginLimit, network_of
from gencode.workspace.identity.passwords import Passwords
from gencode.workspace.identity.sessions import Sessions
from gencode.workspace.identity.tables import User, UserRole, has_users
from gencode.workspace.tables import now

PROFILE = ("nickname", "avatar", "department", "position")
"""What users change of themselves, with their email address."""
CONCURRENT_LOGINS = 8
"""At the same time, each from another network of clients."""
AUDITED = ("username", "email", *PROFILE, "role", "subscription_level", "subscription_ends_on", "is_active")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUser:
    """`password`: as typed; it is stored as a hash."""

    username: str
    email: str
    password: str = field(repr=False)
    role: UserRole = UserRole.USER
    profile: Mapping[str, str | None] = field(default_factory=dict)


class Accounts:
    """Every change is audited in its own transaction, which also ends the sessions that it invalidates."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        audit: AuditLog,
        sessions: Sessions,
        login_limit: LoginLimit,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._audit = audit
        self._login_limit = login_limit
        self._attempts = PerClientSemaphore(1)
        self._logins = FairLimiter(CONCURRENT_LOGINS)

    async def exist(self) -> bool:
        """Whether there is any user who is not deleted."""
        async with self._database.transaction() as session:
            return await has_users(session)

    async def create(self, new: NewUser, actor: Actor) -> User:
        """Raises AlreadyTaken."""
        user = User(
            username=new.username,
            email=new.email,
            password_hash=await self._passwords.hash(new.password),
            role=new.role.value,
            **new.profile,
        )
        async with self._database.transaction() as session:
            session.add(user)
            await _flush(session)
            await self._record(session, actor, "user.created", user, {}, _audited(user, AUDITED))
        return user

    async def log_in(self, username: str, password: str, address: str) -> User:
        """The user with this name or email address. Raises LoginFailed, LoginLocked, and RateLimited while
        many logins from the same network wait."""
        async with self._logins.hold(network_of(address)):
            found = await self.named(username)
            attempted = found.id if found else username
            # One after the other, so that each knows how others ended.
            async with self._attempts.hold(attempted):
                user = await self._checked(found, attempted, password, address)
        if self._passwords.is_outdated(user.password_hash):
            await self._store_hash(user.id, user.password_hash, await self._passwords.hash(password))
        return user

    async def _checked(self, found: User | None, attempted: str, password: str, address: str) -> User:
        """The user, if this is its password. `attempted`: whose failed logins are counted: of the user, by
        whichever name, or of the unknown name. Raises LoginFailed, LoginLocked."""
        async with self._database.transaction() as session:
            await self._login_limit.count(session, attempted, address)
        stored = found.password_hash if found else None
        is_right = await self._passwords.verify(stored, password)
        async with self._database.transaction() as session:
            user = await _present(session, found.id) if found else None
            # The password may have been changed while it was checked.
            if is_right and user and user.is_active and user.password_hash == stored:
                await self._login_limit.clear(session, attempted, address)
                user.last_login = now()
                return user
            await self._record_failure(session, user, address)
        raise LoginFailed("unknown user or wrong password")

    async def get(self, user_id: str) -> User:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            return await _require(session, user_id)

    async def named(self, name: str) -> User | None:
        """The user with this name or email address."""
        async with self._database.transaction() as session:
            return await session.scalar(select(User).where(is_named(name)))

    async def page(self, limit: int, after: str = "") -> Sequence[User]:
        """Users in the order of their names, beginning after a name."""
        name = func.lower(User.username)
        query = select(User).where(~User.is_deleted).order_by(name).limit(limit)
        async with self._database.transaction() as session:
            return (await session.scalars(query.where(name > after.lower()) if after else query)).all()

    async def change(self, user_id: str, changes: Mapping[str, Any], actor: Actor) -> User:
        """`changes`: by field. Raises NotFound, AlreadyTaken, LastAdmin."""
        async with self._database.transaction() as session:
            await _lock_admins(session)
            user = await _require(session, user_id)
            before, was_admin = _audited(user, changes), _is_active_admin(user)
            for name, value in changes.items():
                setattr(user, name, value)
            await _flush(session)
            await _require_admin(session, was_admin)
            await self._record(session, actor, "user.changed", user, before, _audited(user, changes))
            ended = [] if user.is_active else await self._sessions.end_within(session, user_id, actor)
        self._sessions.report_end(ended)
        return user

    async def delete(self, user_id: str, actor: Actor) -> None:
        """Raises NotFound, LastAdmin."""
        async with self._database.transaction() as session:
            await _lock_admins(session)
            user = await _require(session, user_id)
            was_admin, user.is_deleted = _is_active_admin(user), True
            await _flush(session)
            await _require_admin(session, was_admin)
            await self._record(session, actor, "user.deleted", user, _audited(user, AUDITED), {})
            ended = await self._sessions.end_within(session, user_id, actor)
        self._sessions.report_end(ended)

    async def change_password(
        self, user_id: str, current: str, new: str, actor: Actor, session_id: str
    ) -> None:
        """Ends the user's sessions but this one. Raises LoginFailed unless `current` is the user's password,
        LoginLocked, NotFound."""
        found = await self.get(user_id)
        async with self._attempts.hold(user_id):
            try:
                checked = await self._checked(found, user_id, current, actor.address)
            except LoginFailed:
                raise LoginFailed("the current password is wrong") from None
        await self._set_password(user_id, new, actor, "password.changed", session_id, checked.password_hash)

    async def reset_password(self, user_id: str, new: str, actor: Actor) -> None:
        """Also ends all sessions of the user, and unlocks it. Raises NotFound."""
        user = await self._set_password(user_id, new, actor, "password.reset", "")
        async with self._database.transaction() as session:
            await self._login_limit.clear_all(session, user.id)

    async def _set_password(
        self,
        user_id: str,
        new: str,
        actor: Actor,
        action: str,
        kept_session: str,
        replaced: str | None = None,
    ) -> User:
        """`replaced`: the hash that was checked, if it matters. Raises NotFound, LoginFailed."""
        hashed = await self._passwords.hash(new)
        async with self._database.transaction() as session:
            user = await _require(session, user_id)
            if replaced is not None and user.password_hash != replaced:
                raise LoginFailed("the password was changed meanwhile")
            user.password_hash = hashed
            await self._record(session, actor, action, user, {}, {})
            ended = await self._sessions.end_within(session, user_id, actor, but=kept_session)
        self._sessions.report_end(ended)
        return user

    async def _store_hash(self, user_id: str, old: str, new: str) -> None:
        """Replaces the hash of the same password, unless the password was changed meanwhile."""
        async with self._database.transaction() as session:
            user = await _require(session, user_id)
            if user.password_hash == old:
                user.password_hash = new

    async def _record_failure(self, session: AsyncSession, user: User | None, address: str) -> None:
        """Of unknown names nothing is recorded: a user may have typed the password there."""
        if user:
            actor = Actor(id=principal_id(user.id), address=address)
            await self._record(session, actor, "login.failed", user, {}, {})

    async def _record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        user: User,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        change = Change(
            actor=actor.id,
            action=action,
            subject=principal_id(user.id),
            address=actor.address,
            before=before,
            after=after,
        )
        await self._audit.append(session, change)


def is_named(name: str) -> ColumnElement[bool]:
    """Of the table of users: by user name or email address."""
    lower = name.strip().lower()
    return ~User.is_deleted & or_(func.lower(User.username) == lower, func.lower(User.email) == lower)


async def _present(session: AsyncSession, user_id: str) -> User | None:
    user = await session.get(User, user_id, with_for_update=True)
    return user if user and not user.is_deleted else None


async def _require(session: AsyncSession, user_id: str) -> User:
    if user := await _present(session, user_id):
        return user
    raise NotFound("there is no such user")


def _is_active_admin(user: User) -> bool:
    return user.role == UserRole.ADMIN and user.is_active


async def _lock_admins(session: AsyncSession) -> None:
    """Two transactions that each take away one of the last two admins wait for each other."""
    is_admin = (User.role == UserRole.ADMIN.value) & ~User.is_deleted
    await session.execute(select(User.id).where(is_admin).order_by(User.id).with_for_update())


async def _require_admin(session: AsyncSession, was_admin: bool) -> None:
    """Raises LastAdmin if the change of one who was an admin has left none who can log in."""
    is_admin = (User.role == UserRole.ADMIN.value) & User.is_active & ~User.is_deleted
    if was_admin and await session.scalar(select(User.id).where(is_admin).limit(1)) is None:
        raise LastAdmin("nobody could manage the users any more: make another user an admin first")


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        field_name = "email" if "email" in str(error.orig) else "username"
        raise AlreadyTaken(Phrase("another user has this {field_name}", field_name=field_name)) from None


def _audited(user: User, names: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    return {name: getattr(user, name) for name in names if name in AUDITED}
