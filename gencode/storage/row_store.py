"""A store whose records are rows of a database. Independent of the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.ports.callback_outbox import ANY_TIME
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.quota_usage import TaskUsage
from gencode.engine.task_ids import earliest_id
from gencode.storage.rows import (
    Row,
    callback_to_row,
    checkpoints_to_rows,
    event_to_row,
    key_to_row,
    request_to_row,
    task_to_row,
)
from gencode.storage.write_requests import (
    CheckWritable,
    ClaimCallback,
    Commit,
    Create,
    DeleteKeys,
    DeleteTasks,
    SaveCallback,
    Write,
)


class Reads(Protocol):
    """The reads that a database must implement. `connection`: its driver's, which sees committed data only.

    Each uses the connection for a short time. Ids are passed as callers give them; keys and times as rows.
    The values are those of RowStore's methods of the same name; an asynchronous driver returns them by a
    coroutine.
    """

    def find(self, connection: Any, query: TaskQuery) -> Any: ...
    def count(self, connection: Any, query: TaskQuery) -> Any: ...
    def find_by_key(self, connection: Any, key: Row) -> Any: ...
    def request(self, connection: Any, task_id: str) -> Any: ...
    def events(self, connection: Any, task_id: str, after: int) -> Any:
        """A page of the log, and whether it is the last one."""
        ...

    def checkpoints(self, connection: Any, task_id: str, after: int) -> Any:
        """A page of (position, name, data), and whether it is the last one."""
        ...

    def next_callbacks(
        self, connection: Any, limit: int, excluded: tuple[list[str], ...], due: tuple[int, int]
    ) -> Any:
        """`excluded`: tasks, names of hosts, principals."""
        ...

    def callback(self, connection: Any, task_id: str) -> Any: ...
    def finished_tasks(self, connection: Any, updated_before: datetime, after: str, limit: int) -> Any: ...
    def task_sizes(self, connection: Any, task_ids: Sequence[str]) -> Any: ...
    def count_keys(self, connection: Any, before: str) -> Any: ...
    def usage_totals(self, connection: Any, principal: str | None) -> Any: ...
    def task_usages(self, connection: Any, principal: str, after: str, limit: int) -> Any: ...


class RowStore:
    """A `gencode.engine.ports.store.Store`, `Outbox`, `RetentionStore` and `UsageStore`.

    What cannot be stored (not JSON) raises at the call. Logs and checkpoints of more than a page are read in
    several reads: the pages after the first may show what was committed in between.

    write   runs one of `gencode.storage.write_requests`; returns or raises its outcome
    read    calls what it is given with a connection, and returns or raises its outcome
    reads   the module whose functions are given to `read`
    """

    def __init__(
        self,
        write: Callable[[Write], Awaitable[Any]],
        read: Callable[[Callable[[Any], Any]], Awaitable[Any]],
        reads: Reads,
    ) -> None:
        self._write = write
        self._read = read
        self._reads = reads

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        first: Task | None = await self._write(
            Create(
                task=task_to_row(task),
                request=request_to_row(task.id, request),
                events=[event_to_row(event) for event in events],
                key=key_to_row(key, task.id) if key else None,
                callback=callback_to_row(callback) if callback else None,
            )
        )
        return first or task

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        await self._write(
            Commit(
                task=task_to_row(task),
                events=[event_to_row(event) for event in events],
                checkpoints=checkpoints_to_rows(task.id, checkpoints or {}),
            )
        )

    async def find(self, query: TaskQuery) -> list[Task]:
        tasks: list[Task] = await self._read(partial(self._reads.find, query=query))
        return tasks

    async def count(self, query: TaskQuery) -> int:
        count: int = await self._read(partial(self._reads.count, query=query))
        return count

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        task: Task | None = await self._read(partial(self._reads.find_by_key, key=key_to_row(key, "")))
        return task

    async def request(self, task_id: str) -> dict[str, Any]:
        request: dict[str, Any] = await self._read(partial(self._reads.request, task_id=task_id))
        return request

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        log: list[Event] = []
        is_last = False
        while not is_last:
            page, is_last = await self.event_page(task_id, after)
            log += page
            after = log[-1].id if log else after
        return log

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        page: tuple[list[Event], bool] = await self._read(
            partial(self._reads.events, task_id=task_id, after=after)
        )
        return page

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        found: dict[str, str] = {}
        after, is_last = 0, False
        while not is_last:
            page, is_last = await self._read(partial(self._reads.checkpoints, task_id=task_id, after=after))
            found.update((name, data) for _, name, data in page)
            after = page[-1][0] if page else after
        return found

    async def check_writable(self) -> None:
        await self._write(CheckWritable())

    async def next_callbacks(
        self,
        limit: int,
        exclude_tasks: Collection[str] = (),
        exclude_names: Collection[str] = (),
        exclude_principals: Collection[str] = (),
        due: tuple[int, int] = ANY_TIME,
    ) -> list[Callback]:
        excluded = [*exclude_tasks], [*exclude_names], [*exclude_principals]
        read = partial(self._reads.next_callbacks, limit=limit, excluded=excluded, due=due)
        callbacks: list[Callback] = await self._read(read)
        return callbacks

    async def claim_callback(self, callback: Callback, until: int) -> bool:
        values = (until, callback.task_id, callback.position, callback.failures, callback.due)
        claimed: bool = await self._write(ClaimCallback(values=values))
        return claimed

    async def save_callback(self, callback: Callback) -> None:
        await self._write(SaveCallback(callback=callback_to_row(callback)))

    async def callback(self, task_id: str) -> Callback | None:
        callback: Callback | None = await self._read(partial(self._reads.callback, task_id=task_id))
        return callback

    async def finished_tasks(self, updated_before: datetime, after: str, limit: int) -> list[FinishedTask]:
        read = partial(self._reads.finished_tasks, updated_before=updated_before, after=after, limit=limit)
        tasks: list[FinishedTask] = await self._read(read)
        return tasks

    async def task_sizes(self, task_ids: Sequence[str]) -> dict[str, int]:
        sizes: dict[str, int] = await self._read(partial(self._reads.task_sizes, task_ids=[*task_ids]))
        return sizes

    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        deleted: list[str] = await self._write(DeleteTasks(tasks=[(task.id, task.version) for task in tasks]))
        return deleted

    async def count_keys(self, created_before: datetime) -> int:
        count: int = await self._read(partial(self._reads.count_keys, before=earliest_id(created_before)))
        return count

    async def delete_keys(self, created_before: datetime, limit: int) -> int:
        count: int = await self._write(DeleteKeys(before=earliest_id(created_before), limit=limit))
        return count

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        totals: list[UsageTotal] = await self._read(partial(self._reads.usage_totals, principal=principal))
        return totals

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        read = partial(self._reads.task_usages, principal=principal, after=after, limit=limit)
        usages: list[TaskUsage] = await self._read(read)
        return usages
