"""The port to pending deliveries: the callbacks of tasks, stored beside their logs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gencode.domain.callback import Callback

ANY_TIME = (0, 2**63 - 1)


class Outbox(Protocol):
    """Callbacks are stored by `Store.create` together with their task, and are as durable as the store.

    A commit with an event of NOTIFIED_EVENTS makes a callback without `due` due immediately.
    """

    async def next_callbacks(
        self,
        limit: int,
        exclude_tasks: Collection[str] = (),
        exclude_names: Collection[str] = (),
        exclude_principals: Collection[str] = (),
        due: tuple[int, int] = ANY_TIME,
    ) -> list[Callback]:
        """Callbacks with something to deliver, in the order of `due`, with their principals.

        exclude_tasks       ids of tasks whose callbacks are left out
        exclude_names       names of hosts, without a port, that are left out
        exclude_principals  ids of principals whose callbacks are left out
        due                 the first and the last `Callback.due`, which may lie in the future
        """
        ...

    async def claim_callback(self, callback: Callback, until: int) -> bool:
        """Make it due at `until`, in milliseconds since the epoch, if it is as it was read; whether it was.

        For several processes that deliver: the one that has claimed it delivers it, another one only if
        nothing was saved by then. Raises StoreError.
        """
        ...

    async def save_callback(self, callback: Callback) -> None:
        """Store the progress of the delivery; kind, url and host are not changed.

        A callback without `due` whose task's log has grown beyond `position` is stored as due immediately.
        Nothing is stored for an unknown task, for a callback that has ended, or of an earlier position than
        the stored one: another process has continued the delivery. Raises StoreError.
        """
        ...

    async def callback(self, task_id: str) -> Callback | None:
        """The callback of a task, if it has one."""
        ...
