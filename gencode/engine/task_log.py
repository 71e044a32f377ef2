"""One task's writes, in one order: commit to the store, then tell the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import anyio

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Failure, Status, Task, advance, moment, now
from gencode.engine.hub import Hub
from gencode.engine.pipeline import Pause, StageUpdate
from gencode.engine.store import IdempotencyKey, Store, TaskQuery

Entry = tuple[str, Mapping[str, Any]]
"""An event without its place in the log: kind and data."""


class TaskLog:
    """The only writer of a task while it lives here; `task` is what the store holds.

    Each write is shielded from cancellation: it happens whole, and `task` always tells what happened. The
    exception is a write that failed, which leaves a doubt: whoever comes next asks the store first.
    """

    def __init__(self, task: Task, store: Store, hub: Hub) -> None:
        self.task = task
        self._store = store
        self._hub = hub
        self._lock = anyio.Lock()
        self._doubt = False

    async def create(self, key: IdempotencyKey | None, callback: Callback | None = None) -> Task:
        """Store the new task with its first event. A known key: the task that it named first."""
        task, events = self._grown(self.task, [_status_entry(self.task)])
        with anyio.CancelScope(shield=True):
            stored = await self._store.create(task, events, key, callback)
        return stored

    async def advance(
        self,
        status: Status,
        message: str,
        failure: Failure | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        """`changes`: to the request. Raises IllegalTransition, and writes nothing then."""
        async with self._turn():
            task = advance(self.task, status, message, failure)
            task = replace(task, request={**task.request, **(changes or {})})
            entries = [_status_entry(task)]
            if task.failure:
                entries.append(("error", {"status": status, **asdict(task.failure)}))
            await self._write(task, entries)

    async def send(self, *progress: StageUpdate) -> None:
        """What a stage sends: live ones are passed on; the rest becomes one transaction."""
        for item in progress:
            if item.live:
                self._hub.live(self.task.id, item.data)
        lasting = [item for item in progress if not item.live]
        if not lasting:
            return
        async with self._turn():
            await self._write(
                _with_results(self.task, lasting),
                [(item.kind, item.data) for item in lasting if item.kind],
                {name: part for item in lasting for name, part in item.keep.items()},
            )

    async def hold(self, hold: Pause) -> None:
        """The run ends here; no attempt that is cut short from now on was a crash."""
        async with self._turn():
            moment = now()
            until = moment + timedelta(seconds=hold.seconds)
            task = replace(self.task, paused_until=until, message=hold.message, attempts=0, updated_at=moment)
            await self._write(task, [_hold_entry("approval", task)])

    async def amend(self, progress: StageUpdate) -> None:
        """What a person changed of a held task, which waits on."""
        async with self._turn():
            await self._write(
                _with_results(self.task, [progress]), [(progress.kind, progress.data)], progress.keep
            )

    async def approve(self, progress: StageUpdate, message: str) -> None:
        """A person's word, and the end of the wait for it."""
        async with self._turn():
            task = _with_results(self.task, [progress])
            task = replace(task, paused_until=None, message=message, attempts=0)
            kind, data = _hold_entry("approved", task)
            await self._write(task, [(kind, {**data, **progress.data})], progress.keep)

    async def start(self) -> None:
        """Count an attempt before it is made, and tell subscribers of a resumed task."""
        async with self._turn():
            task = replace(self.task, attempts=self.task.attempts + 1)
            resumed = task.status is not Status.PENDING
            entries = [("resumed", {"status": task.status, "attempt": task.attempts})] if resumed else []
            await self._write(task, entries)

    async def rest(self) -> None:
        """The process stops in order: this attempt did not crash."""
        async with self._turn():
            if not self.task.status.is_terminal:
                await self._write(replace(self.task, attempts=0), [])

    async def reconcile(self) -> None:
        """Make sure that `task` is what the store holds. Raises StoreError while it cannot be asked."""
        async with self._turn():
            pass

    def reset_attempts(self) -> None:
        """The attempt ended because the store refused, not in a crash: the next one is the first again."""
        self.task = replace(self.task, attempts=0)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._lock:
            if self._doubt:
                await self._reload()
            yield

    async def _reload(self) -> None:
        """A write that failed may have happened all the same; then its events have yet to be told."""
        (task,) = await self._store.find(TaskQuery(id=self.task.id, limit=1))
        missed = await self._store.events(task.id, after=self.task.sequence)
        self.task, self._doubt = replace(task, attempts=self.task.attempts), False
        if missed:
            self._hub.publish(missed, over=task.status.is_terminal)

    async def _write(
        self, task: Task, entries: Sequence[Entry], keep: Mapping[str, str] | None = None
    ) -> None:
        task, events = self._grown(task, entries)
        self._doubt = True
        with anyio.CancelScope(shield=True):
            await self._store.commit(task, events, keep)
        self.task, self._doubt = task, False
        if events:
            self._hub.publish(events, over=task.status.is_terminal)

    def _grown(self, task: Task, entries: Sequence[Entry]) -> tuple[Task, list[Event]]:
        events = [
            Event(task_id=task.id, id=task.sequence + n, kind=kind, data=data)
            for n, (kind, data) in enumerate(entries, start=1)
        ]
        return replace(task, sequence=task.sequence + len(events)), events


def _status_entry(task: Task) -> Entry:
    """`{"status", "message", "at", ...}` and what is known of the result, such as "repo_url"."""
    at = moment(task.updated_at)
    return "status", {"status": task.status, "message": task.message, "at": at, **task.result}


def _hold_entry(kind: str, task: Task) -> Entry:
    """`{"status", "message", "at", "awaiting_approval", "approve_by"}`."""
    return kind, {
        "status": task.status,
        "message": task.message,
        "at": moment(task.updated_at),
        "awaiting_approval": task.paused_until is not None,
        "approve_by": moment(task.paused_until) if task.paused_until else None,
    }


def _with_results(task: Task, progress: Sequence[StageUpdate]) -> Task:
    """Kept parts are progress: the count of fruitless attempts begins anew."""
    digest = next((item.digest for item in reversed(progress) if item.digest), task.digest)
    result = dict(task.result)
    for item in progress:
        result.update(item.result)
    attempts = 1 if any(item.keep for item in progress) else task.attempts
    return replace(task, result=result, attempts=attempts, digest=digest, updated_at=now())
