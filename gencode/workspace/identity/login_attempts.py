"""Limits guesses of passwords: after a number of failed logins with a name, none succeeds for a while."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.database import insert_if_absent
from gencode.workspace.errors import LoginLocked
from gencode.workspace.identity.tables import LoginAttempts
from gencode.workspace.tables import now

FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginLimit:
    """attempts  failed ones with a name before it is locked
    minutes   of the lock
    """

    attempts: int = 5
    minutes: int = 15

    async def count(self, session: AsyncSession, username: str) -> None:
        """Counts an attempt as failed, before its password is checked, so that attempts at the same time
        cannot exceed the limit; `clear` it after a login. Raises LoginLocked."""
        at, key = now(), _digest(username)
        await session.execute(delete(LoginAttempts).where(LoginAttempts.last_at < at - FORGET_AFTER))
        await insert_if_absent(session, LoginAttempts, name_digest=key, failures=0, last_at=at)
        found = await session.get_one(LoginAttempts, key, with_for_update=True)
        if found.locked_until and found.locked_until > at:
            seconds = math.ceil((found.locked_until - at).total_seconds())
            raise LoginLocked(
                f"too many failed logins with this name: try again in {math.ceil(seconds / 60)} minutes",
                retry_after=seconds,
            )
        if found.locked_until:
            found.failures, found.locked_until = 0, None
        found.failures += 1
        found.last_at = at
        if found.failures >= self.attempts:
            found.locked_until = at + timedelta(minutes=self.minutes)

    async def clear(self, session: AsyncSession, username: str) -> None:
        await session.execute(delete(LoginAttempts).where(LoginAttempts.name_digest == _digest(username)))


def _digest(username: str) -> str:
    return hashlib.sha256(username.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
