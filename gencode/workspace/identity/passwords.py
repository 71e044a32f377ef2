"""Hashes passwords by argon2id, in threads, a few at a time."""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

R = TypeVar("R")
MIN_LENGTH = 12
MAX_LENGTH = 1024
CONCURRENT = 2
"""Hashes that are computed at a time: each takes 46 ms of a core and the memory below."""
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
"""OWASP's recommendation for argon2id."""


class Passwords:
    """`hasher`: other parameters make tests fast."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._limiter = anyio.CapacityLimiter(CONCURRENT)
        self._unknown = _hash_of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        return await self._in_thread(self._hasher.hash, _normalised(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password has this hash. None, for an unknown user, takes as long."""
        matches = await self._in_thread(self._matches, stored or self._unknown, _normalised(password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters, and should be replaced after the next login."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, call: Callable[..., R], *arguments: str) -> R:
        return await anyio.to_thread.run_sync(partial(call, *arguments), limiter=self._limiter)


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """A hash of no known password, which takes as long to verify as others, and no time to make."""
    salt, digest = (
        b64encode(bytes(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len)
    )
    parameters = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${parameters}${salt}${digest}"


def _normalised(password: str) -> str:
    """Keyboards differ in how they compose characters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)
