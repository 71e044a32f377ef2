"""A store in one SQLite file.

One connection on one thread: before 3.51.3, SQLite can damage a WAL database that has more. Durability
costs an fsync for each transaction; gathering all callers that wait into one transaction shares it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.store import IdempotencyKey, TaskQuery
from gencode.storage.rows import callback_row, event_row, key_row, part_rows, task_row
from gencode.storage.sqlite import statements
from gencode.storage.sqlite.batcher import Batcher
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.transaction import Commit, Create, Note, Operation, Read, execute, named


class SQLiteStore:
    """A `gencode.engine.store.Store`; see `open_sqlite`. What cannot be stored (not JSON) raises at the call."""

    def __init__(self, run: Callable[[Operation], Awaitable[Any]]) -> None:
        self._run = run

    async def create(
        self,
        task: Task,
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        first: Task | None = await self._run(
            Create(
                task=task_row(task),
                events=[event_row(event) for event in events],
                key=key_row(key, task.id) if key else None,
                callback=callback_row(callback) if callback else None,
            )
        )
        return first or task

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        await self._run(
            Commit(
                task=task_row(task),
                events=[event_row(event) for event in events],
                parts=part_rows(task.id, keep or {}),
            )
        )

    async def named(self, key: IdempotencyKey) -> Task | None:
        task: Task | None = await self._run(Read(run=partial(named, key=key_row(key, ""))))
        return task

    async def find(self, query: TaskQuery) -> list[Task]:
        found: list[Task] = await self._run(Read(run=partial(statements.find, query=query)))
        return found

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        log: list[Event] = await self._run(Read(run=partial(statements.events, task_id=task_id, after=after)))
        return log

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        parts: dict[str, str] = await self._run(Read(run=partial(statements.checkpoints, task_id=task_id)))
        return parts

    async def upcoming(
        self, limit: int, without: Collection[str] = (), except_hosts: Collection[str] = ()
    ) -> list[Callback]:
        read = partial(statements.upcoming, limit=limit, without=[*without], except_hosts=[*except_hosts])
        found: list[Callback] = await self._run(Read(run=read))
        return found

    async def note(self, callback: Callback) -> None:
        await self._run(Note(callback=callback_row(callback)))

    async def callback(self, task_id: str) -> Callback | None:
        found: Callback | None = await self._run(Read(run=partial(statements.callback, task_id=task_id)))
        return found


@asynccontextmanager
async def open_sqlite(
    path: Path, *, busy_timeout: float = 5.0, limit: int = 10_000
) -> AsyncIterator[SQLiteStore]:
    """The store in this file, made if missing; its folder must be there. Leaving waits for what is under way.

    busy_timeout   seconds to wait for a lock that another program holds on the file
    limit          most calls that may wait for the disk; more raise StoreError

    Raises StoreUnusable with the reason and the remedy.
    """
    call = asyncio.get_running_loop().run_in_executor
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite") as thread:
        with anyio.CancelScope(shield=True):
            connection = await call(thread, connect, path, busy_timeout)
        batcher: Batcher[Operation] = Batcher(partial(execute, connection), thread, limit)
        try:
            yield SQLiteStore(batcher)
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await batcher.close()
                finally:
                    await call(thread, connection.close)
