"""A store that forgets: for tests, and to measure what durability costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gencode.domain.callback import NEWS, Callback
from gencode.domain.errors import IdempotencyKeyReused, StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.store import IdempotencyKey, TaskQuery
from gencode.storage.rows import (
    Row,
    callback_from,
    callback_row,
    event_from,
    event_row,
    key_row,
    part_rows,
    task_from,
    task_row,
    text,
)


class MemoryStore:
    """A `gencode.engine.store.Store` but for durability. Holds rows, so that it too refuses what is not JSON."""

    def __init__(self) -> None:
        self._tasks: dict[str, Row] = {}
        self._events: dict[str, dict[int, Row]] = {}
        self._parts: dict[str, dict[str, str]] = {}
        self._keys: dict[Row, Row] = {}
        self._callbacks: dict[str, Callback] = {}

    async def create(
        self,
        task: Task,
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        row, claim = task_row(task), key_row(key, task.id) if key else None
        if claim and (owner := self._keys.get(claim[:2])):
            return self._replay(claim, owner)
        if row[0] in self._tasks:
            raise StoreError("nothing was stored: such a task exists already")
        self._append(row, events)
        if claim:
            self._keys[claim[:2]] = claim
        if callback:
            self._callbacks[row[0]] = callback_from(callback_row(callback))
        return task

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        row, parts = task_row(task), part_rows(task.id, keep or {})
        if row[0] not in self._tasks:
            raise StoreError("nothing was stored: there is no such task")
        self._append(row, events)
        self._parts.setdefault(row[0], {}).update({name: data for _, name, data in parts})
        if any(event.kind in NEWS for event in events):
            self._wake(row[0])

    async def named(self, key: IdempotencyKey) -> Task | None:
        claim = key_row(key, "")
        owner = self._keys.get(claim[:2])
        return self._replay(claim, owner) if owner else None

    async def find(self, query: TaskQuery) -> list[Task]:
        newest_first = (task_from(self._tasks[id_]) for id_ in sorted(self._tasks, reverse=True))
        return [task for task in newest_first if _matches(task, query)][: query.limit]

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        log = self._events.get(text(task_id), {})
        return [event_from(log[id_]) for id_ in sorted(log) if id_ > after]

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        return dict(self._parts.get(text(task_id), {}))

    async def upcoming(
        self, limit: int, without: Collection[str] = (), except_hosts: Collection[str] = ()
    ) -> list[Callback]:
        found = [
            (callback.due, callback)
            for callback in self._callbacks.values()
            if callback.due is not None
            and callback.task_id not in without
            and callback.host not in except_hosts
        ]
        return [callback for _, callback in sorted(found, key=lambda entry: entry[0])[:limit]]

    async def note(self, callback: Callback) -> None:
        known = self._callbacks.get(text(callback.task_id))
        if not known:
            return
        self._callbacks[known.task_id] = replace(
            callback, task_id=known.task_id, kind=known.kind, url=known.url, host=known.host
        )
        if task_from(self._tasks[known.task_id]).sequence > callback.position:
            self._wake(known.task_id)

    async def callback(self, task_id: str) -> Callback | None:
        return self._callbacks.get(text(task_id))

    def _wake(self, task_id: str) -> None:
        callback = self._callbacks.get(task_id)
        if callback and callback.due is None and not callback.ended:
            self._callbacks[task_id] = replace(callback, due=0)

    def _replay(self, claim: Row, owner: Row) -> Task:
        if claim[2] != owner[2]:
            raise IdempotencyKeyReused("this idempotency key came with another body before: use a new key")
        return task_from(self._tasks[owner[3]])

    def _append(self, row: Row, events: Sequence[Event]) -> None:
        """Replaces the task, too: all or nothing."""
        log = self._events.get(row[0], {})
        fresh = {event.id: event_row(event) for event in events}
        if len(fresh) < len(events) or fresh.keys() & log.keys():
            raise StoreError("nothing was stored: such an event exists already")
        self._tasks[row[0]] = row
        self._events[row[0]] = log | fresh


def _matches(task: Task, query: TaskQuery) -> bool:
    return (
        (query.id is None or task.id == text(query.id))
        and (query.client is None or task.client == text(query.client))
        and (query.statuses is None or task.status in query.statuses)
        and (query.digest is None or task.digest == text(query.digest) != "")
        and (query.before is None or task.id < text(query.before))
    )
