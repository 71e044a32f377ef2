"""The seam to what has yet to be told: the callbacks of tasks, kept beside their logs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gencode.domain.callback import Callback


class Outbox(Protocol):
    """Callbacks are stored by `Store.create`, together with their task. As durable as the store, and part
    of it: the commit that brings an event of NEWS makes a callback that has nothing to tell due at once.
    """

    async def upcoming(
        self, limit: int, without: Collection[str] = (), except_hosts: Collection[str] = ()
    ) -> list[Callback]:
        """What is to be told next, in the order of `due`; that may lie in the future.

        without       ids of tasks that are left out
        except_hosts  hosts whose callbacks are left out
        """
        ...

    async def note(self, callback: Callback) -> None:
        """Write down how far it has come. One that has nothing to tell, although its task's log has grown
        beyond `position` meanwhile, is due at once. Raises StoreError."""
        ...

    async def callback(self, task_id: str) -> Callback | None:
        """Of this task."""
        ...
