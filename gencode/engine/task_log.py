"""All writes of one task, in one order: commit to the store, then publish to the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import anyio

from gencode.domain import task as lifecycle
from gencode.domain.callback import Callback
from gencode.domain.errors import Conflict
from gencode.domain.event import Event
from gencode.domain.task import PENDING, Failure, State, Task, now, rfc3339
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.pipeline import Pause, StageUpdate
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery

Entry = tuple[str, Mapping[str, Any]]
"""An event before it has an id: kind and data."""


class TaskLog:
    """The only writer of a task in this process; `task` is what the store holds.

    A write that raises may have been stored all the same (see gencode.engine.ports.store.Store), and so may
    one whose caller was cancelled: the next call reads the task back before it writes. After a Conflict
    every call raises Conflict.
    """

    def __init__(self, task: Task, store: Store, hub: Hub) -> None:
        self.task = task
        self._store = store
        self._hub = hub
        self._unconfirmed: Task | None = None
        """What the last write would have stored, while its outcome is unknown."""
        self._has_conflict = False

    @cached_property
    def _lock(self) -> anyio.Lock:
        """Of all writes but the first: a new task is nobody else's."""
        return anyio.Lock()

    async def create(
        self, request: Mapping[str, Any], key: IdempotencyKey | None, callback: Callback | None = None
    ) -> Task:
        """Store the new task with its first event. With a known key: the key's first task."""
        task, events = _numbered(self.task, [_status_entry(self.task)])
        with anyio.CancelScope(shield=True):
            stored = await self._store.create(task, request, events, key, callback)
        return stored

    # --- the lifecycle ------------------------------------------------------------------------------

    async def start(self, owner: str = "") -> None:
        """A run begins. Subscribers of a task that has been in a stage before get a `resumed` event.

        From now on a commit of an earlier owner that still runs raises Conflict.
        """
        async with self._turn():
            task = lifecycle.start(self.task, owner)
            resumed = {"status": task.status, "attempt": task.attempts}
            await self._write(task, [("resumed", resumed)] if task.stage else [])

    async def enter(self, stage: str, message: str) -> None:
        async with self._turn():
            task = lifecycle.transition(self.task, State.RUNNING, message, stage)
            await self._write(task, [_status_entry(task)])

    async def emit(self, *updates: StageUpdate) -> None:
        """See gencode.engine.ports.pipeline.Emit. Waiting for the lock is shielded, too."""
        durable = []
        for update in updates:
            if update.live:
                self._hub.publish_live(self.task.id, update.data)
            else:
                durable.append(update)
        if not durable:
            return
        checkpoints = _checkpoints(durable)
        with anyio.CancelScope(shield=True):
            async with self._turn():
                await self._write(_updated(self.task, durable), _entries(durable), checkpoints)

    async def succeed(self, message: str) -> None:
        async with self._turn():
            task = lifecycle.transition(self.task, State.SUCCEEDED, message)
            await self._write(task, [_status_entry(task)])

    async def fail(self, failure: Failure, updates: Sequence[StageUpdate] = ()) -> None:
        """`updates`: stored and published before it, in the same commit."""
        async with self._turn():
            task = lifecycle.fail(_updated(self.task, updates), failure)
            entries = [*_entries(updates), _status_entry(task), _error_entry(task, failure)]
            await self._write(task, entries, _checkpoints(updates))

    async def cancel(self, message: str, updates: Sequence[StageUpdate] = ()) -> None:
        """`updates`: as in `fail`."""
        async with self._turn():
            task = lifecycle.transition(_updated(self.task, updates), State.CANCELLED, message)
            await self._write(task, [*_entries(updates), _status_entry(task)], _checkpoints(updates))

    async def retry(self, message: str, changes: Mapping[str, Any]) -> None:
        """`changes`: to the parameters of the failed task."""
        async with self._turn():
            task = lifecycle.retry(self.task, message, changes)
            await self._write(task, [_status_entry(task)])

    async def release(self) -> None:
        """A graceful shutdown interrupts the run."""
        async with self._turn():
            if self.task.state is State.RUNNING:
                await self._write(lifecycle.release(self.task), [])

    # --- the pause ----------------------------------------------------------------------------------

    async def pause(self, pause: Pause) -> None:
        async with self._turn():
            until = now() + timedelta(seconds=pause.seconds)
            task = lifecycle.pause(self.task, until, pause.message)
            kind, data = _pause_entry("approval", task)
            await self._write(task, [(kind, {**pause.data, **data})])

    async def amend(self, update: StageUpdate) -> None:
        """A user changed the paused task; it stays paused."""
        async with self._turn():
            task = replace(_updated(self.task, [update]), attempts=self.task.attempts)
            await self._write(task, _entries([update]), update.checkpoints)

    async def approve(self, update: StageUpdate, message: str) -> None:
        """A user decided; the task is queued again."""
        async with self._turn():
            task = lifecycle.resume(_updated(self.task, [update]), message)
            kind, data = _pause_entry("approved", task)
            await self._write(task, [(kind, {**data, **update.data})], update.checkpoints)

    # --- writing ------------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Make sure that `task` is what the store holds.

        Raises StoreError while it cannot be read, and Conflict.
        """
        async with self._turn():
            pass

    def reset_attempts(self) -> None:
        """The run ended by a StoreError, not by a crash: the next one counts as the first."""
        self.task = replace(self.task, attempts=0)
        if self._unconfirmed:
            self._unconfirmed = replace(self._unconfirmed, attempts=0)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._lock:
            if self._has_conflict:
                raise _conflict()
            if self._unconfirmed:
                await self._read_back(self._unconfirmed)
            yield

    async def _read_back(self, unconfirmed: Task) -> None:
        """If the write was stored, its events have yet to be published."""
        (stored,) = await self._store.find(TaskQuery(id=self.task.id, limit=1))
        was_stored = _identity(stored) == _identity(unconfirmed)
        if not was_stored and stored.version != self.task.version:
            self._has_conflict = True
            raise _conflict()
        missed = await self._store.events(stored.id, after=self.task.sequence)
        attempts = unconfirmed.attempts if was_stored else self.task.attempts
        self.task, self._unconfirmed = replace(stored, attempts=attempts), None
        if missed:
            self._hub.publish(missed, is_final=stored.state.is_terminal)

    async def _write(
        self, task: Task, entries: Sequence[Entry], checkpoints: Mapping[str, str] | None = None
    ) -> None:
        task, events = _numbered(replace(task, version=task.version + 1), entries)
        self._unconfirmed = task
        with anyio.CancelScope(shield=True):
            await self._commit(task, events, checkpoints)
        self.task, self._unconfirmed = task, None
        if events:
            self._hub.publish(events, is_final=task.state.is_terminal)

    async def _commit(
        self, task: Task, events: Sequence[Event], checkpoints: Mapping[str, str] | None
    ) -> None:
        try:
            await self._store.commit(task, events, checkpoints)
        except Conflict:
            self._has_conflict = True
            raise


def _conflict() -> Conflict:
    return Conflict("another writer has committed this task; this one leaves it alone")


def _identity(task: Task) -> tuple[object, ...]:
    """Distinguishes the commits of two writers, by fields that a store returns unchanged."""
    return task.version, task.sequence, task.state, task.stage, task.updated_at, task.owner


def _numbered(task: Task, entries: Sequence[Entry]) -> tuple[Task, list[Event]]:
    """Event ids are dense: 1, 2, 3, ... within a task."""
    events = [
        Event(task_id=task.id, id=task.sequence + n, kind=kind, data=data)
        for n, (kind, data) in enumerate(entries, start=1)
    ]
    return replace(task, sequence=task.sequence + len(events)), events


def _checkpoints(updates: Sequence[StageUpdate]) -> dict[str, str]:
    return {name: text for update in updates for name, text in update.checkpoints.items()}


def _entries(updates: Sequence[StageUpdate]) -> list[Entry]:
    return [(update.kind, update.data) for update in updates if update.kind]


def _status_entry(task: Task) -> Entry:
    """`{"status", "message", "at", ...}` and what is known of the result, such as "repo_url"."""
    at = rfc3339(task.updated_at)
    return "status", {"status": task.status, "message": task.message, "at": at, **task.result}


def _error_entry(task: Task, failure: Failure) -> Entry:
    fields = {**asdict(failure), "stage": task.stage or PENDING, "retry_fields": list(failure.retry_fields)}
    return "error", {"status": task.status, **fields}


def _pause_entry(kind: str, task: Task) -> Entry:
    """`{"status", "message", "at", "awaiting_approval", "approve_by"}`."""
    return kind, {
        "status": task.status,
        "message": task.message,
        "at": rfc3339(task.updated_at),
        "awaiting_approval": task.paused_until is not None,
        "approve_by": rfc3339(task.paused_until) if task.paused_until else None,
    }


def _updated(task: Task, updates: Sequence[StageUpdate]) -> Task:
    """The task with the updates' results. After progress the count of attempts begins again."""
    cache_key = next((update.cache_key for update in reversed(updates) if update.cache_key), task.cache_key)
    result = dict(task.result)
    for update in updates:
        result.update(update.result)
    has_progress = any(update.checkpoints and update.is_progress for update in updates)
    attempts = 1 if has_progress else task.attempts
    return replace(task, result=result, attempts=attempts, cache_key=cache_key, updated_at=now())
