"""Limits guesses of passwords: after a number of failed logins with a name, none succeeds for a while.

They are counted for each name and network of clients, so that whoever fails on purpose locks out nobody
else. Guesses from very many networks are limited together.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.phrase import Phrase
from gencode.workspace.database import insert_if_absent
from gencode.workspace.errors import LoginLocked
from gencode.workspace.identity.tables import LoginAttempts
from gencode.workspace.tables import now

FORGET_AFTER = timedelta(days=1)
NETWORKS = 20
"""How many networks may each use up their attempts with one name before it is locked for all."""
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that one client cannot choose."""
_DIGITS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginLimit:
    """attempts  failed ones with a name from a network before it is locked there
    minutes   of the lock
    """

    attempts: int = 5
    minutes: int = 15

    async def count(self, session: AsyncSession, username: str, address: str) -> None:
        """Counts an attempt as failed, before its password is checked, so that attempts at the same time
        cannot exceed the limit; `clear` it after a login. Raises LoginLocked."""
        at = now()
        await session.execute(delete(LoginAttempts).where(LoginAttempts.last_at < at - FORGET_AFTER))
        of_network, of_name = _key(username, address), _key(username)
        found = await self._unlocked(session, of_network, at)
        total = await self._unlocked(session, of_name, at)
        found.last_at = at
        self._add(found, self.attempts, at)
        if at - total.last_at > timedelta(minutes=self.minutes):
            total.failures, total.last_at = 0, at
        self._add(total, self.attempts * NETWORKS, at)

    async def clear(self, session: AsyncSession, username: str, address: str) -> None:
        """Those from this network, the attempt that has succeeded among them."""
        found = await session.get(LoginAttempts, _key(username, address), with_for_update=True)
        total = await session.get(LoginAttempts, _key(username), with_for_update=True)
        if found and total:
            total.failures = max(0, total.failures - found.failures)
        if found:
            await session.delete(found)

    async def clear_all(self, session: AsyncSession, username: str) -> None:
        is_of_name = LoginAttempts.name_digest.startswith(_key(username)[:_DIGITS])
        await session.execute(delete(LoginAttempts).where(is_of_name))

    async def _unlocked(self, session: AsyncSession, key: str, at: datetime) -> LoginAttempts:
        """Raises LoginLocked."""
        await insert_if_absent(session, LoginAttempts, name_digest=key, failures=0, last_at=at)
        found = await session.get_one(LoginAttempts, key, with_for_update=True)
        if found.locked_until and found.locked_until > at:
            seconds = math.ceil((found.locked_until - at).total_seconds())
            raise LoginLocked(
                Phrase(
                    "too many failed logins with this name: try again in {ceil} minutes",
                    ceil=math.ceil(seconds / 60),
                ),
                retry_after=seconds,
            )
        if found.locked_until:
            found.failures, found.locked_until = 0, None
        return found

    def _add(self, found: LoginAttempts, most: int, at: datetime) -> None:
        found.failures += 1
        if found.failures >= most:
            found.locked_until = at + timedelta(minutes=self.minutes)


def network_of(address: str) -> str:
    """What one client can choose addresses from: of IPv6 the network of 64 bits, else the address itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, _IPV6_NETWORK), strict=False))


def _key(username: str, address: str | None = None) -> str:
    """Begins alike for all networks of a name. Without an address: the key of all together."""
    network = "0" * _DIGITS if address is None else _digest(network_of(address))
    return _digest(username.strip().lower()) + network


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
