"""The port to turns that processes with a common store take."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Turns(Protocol):
    def turn(self, name: str, *, changes: bool = False) -> AbstractAsyncContextManager[int]:
        """Wait for the turn of this name, and have it within the context. The value rises with each turn that
        has ended with `changes`: what was read in an earlier one holds as long as it is the same.

        Raises StoreError.
        """
        ...
