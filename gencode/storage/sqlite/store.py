"""A store in one SQLite file.

Durability costs an fsync for each transaction; one transaction for all callers that wait shares it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.ids import earliest_id
from gencode.engine.ports.callback_outbox import ANY_TIME
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.quota import TaskUsage
from gencode.storage.batcher import Batcher
from gencode.storage.operations import (
    CheckWritable,
    Commit,
    Create,
    DeleteKeys,
    DeleteTasks,
    SaveCallback,
    Write,
)
from gencode.storage.rows import (
    callback_to_row,
    checkpoints_to_rows,
    event_to_row,
    key_to_row,
    request_to_row,
    task_to_row,
)
from gencode.storage.sqlite import reads
from gencode.storage.sqlite.connection import SEVERAL_CONNECTIONS_SQLITE, connect, connect_reader
from gencode.storage.sqlite.reads import Read
from gencode.storage.sqlite.writes import run_read, run_writes


class SQLiteStore:
    """A `gencode.engine.ports.store.Store`, `Outbox`, `RetentionStore` and `UsageStore`; see `open_sqlite`.

    What cannot be stored (not JSON) raises at the call. Logs and checkpoints of more than a page are read in
    several turns: the pages after the first may show what was committed in between.
    """

    def __init__(
        self, write: Callable[[Write], Awaitable[Any]], read: Callable[[Read], Awaitable[Any]]
    ) -> None:
        self._write = write
        self._read = read

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
        tasks: list[Task] = await self._read(partial(reads.find, query=query))
        return tasks

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        task: Task | None = await self._read(partial(reads.find_by_key, key=key_to_row(key, "")))
        return task

    async def request(self, task_id: str) -> dict[str, Any]:
        request: dict[str, Any] = await self._read(partial(reads.request, task_id=task_id))
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
        page: tuple[list[Event], bool] = await self._read(partial(reads.events, task_id=task_id, after=after))
        return page

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        found: dict[str, str] = {}
        after, is_last = 0, False
        while not is_last:
            page, is_last = await self._read(partial(reads.checkpoints, task_id=task_id, after=after))
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
        read = partial(reads.next_callbacks, limit=limit, excluded=excluded, due=due)
        callbacks: list[Callback] = await self._read(read)
        return callbacks

    async def save_callback(self, callback: Callback) -> None:
        await self._write(SaveCallback(callback=callback_to_row(callback)))

    async def callback(self, task_id: str) -> Callback | None:
        callback: Callback | None = await self._read(partial(reads.callback, task_id=task_id))
        return callback

    async def finished_tasks(self, updated_before: datetime, after: str, limit: int) -> list[FinishedTask]:
        read = partial(reads.finished_tasks, updated_before=updated_before, after=after, limit=limit)
        tasks: list[FinishedTask] = await self._read(read)
        return tasks

    async def task_sizes(self, task_ids: Sequence[str]) -> dict[str, int]:
        sizes: dict[str, int] = await self._read(partial(reads.task_sizes, task_ids=[*task_ids]))
        return sizes

    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        deleted: list[str] = await self._write(DeleteTasks(tasks=[(task.id, task.version) for task in tasks]))
        return deleted

    async def count_keys(self, created_before: datetime) -> int:
        count: int = await self._read(partial(reads.count_keys, before=earliest_id(created_before)))
        return count

    async def delete_keys(self, created_before: datetime, limit: int) -> int:
        count: int = await self._write(DeleteKeys(before=earliest_id(created_before), limit=limit))
        return count

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        totals: list[UsageTotal] = await self._read(partial(reads.usage_totals, principal=principal))
        return totals

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        read = partial(reads.task_usages, principal=principal, after=after, limit=limit)
        usages: list[TaskUsage] = await self._read(read)
        return usages


@asynccontextmanager
async def open_sqlite(
    path: Path, *, busy_timeout: float = 5.0, limit: int = 10_000, second_connection: bool | None = None
) -> AsyncIterator[SQLiteStore]:
    """The store in this file, made if missing; its folder must exist. Leaving waits for what is under way.

    busy_timeout        seconds to wait for a lock that another program holds on the file
    limit               most calls that may wait for the disk; more raise StoreError
    second_connection   whether reads have a connection and a thread of their own; None: where this version of
                        SQLite allows it. Otherwise they take turns with the writes in one thread

    Raises StoreUnusable with the reason and the remedy.
    """
    if second_connection is None:
        second_connection = sqlite3.sqlite_version_info >= SEVERAL_CONNECTIONS_SQLITE
    async with _open(partial(connect, path, busy_timeout), "sqlite", limit) as writer:
        if not second_connection:
            yield SQLiteStore(writer.write, writer.read)
            return
        async with _open(partial(connect_reader, path, busy_timeout), "sqlite-reads", limit) as reader:
            yield SQLiteStore(writer.write, reader.read)


@asynccontextmanager
async def _open(
    connect: Callable[[], sqlite3.Connection], name: str, limit: int
) -> AsyncIterator[Batcher[Write, Read]]:
    """A connection on a thread of its own."""
    call = asyncio.get_running_loop().run_in_executor
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as thread:
        with anyio.CancelScope(shield=True):
            connection = await call(thread, connect)
        batcher: Batcher[Write, Read] = Batcher(
            partial(run_writes, connection), partial(run_read, connection), thread, limit
        )
        try:
            yield batcher
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await batcher.close()
                finally:
                    await call(thread, connection.close)
