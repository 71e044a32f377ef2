"""The port to named locks, which processes with a common store share."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class NamedLocks(Protocol):
    def lock(self, name: str, *, changes: bool = False) -> AbstractAsyncContextManager[int]:
        """Acquire the lock of this name, and hold it within the context.

        Yields the version of the lock, which rises by one with each release after `changes=True`: values that
        were read under the lock are valid as long as its version is the same.

        Raises StoreError.
        """
        ...
