"""A store that is not durable: for tests, and to measure what durability costs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gencode.domain.callback import NOTIFIED_EVENTS, Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import FINAL_STATUSES, Task
from gencode.engine.ports.callback_outbox import ANY_TIME
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal, finished_task
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.quota_usage import TaskUsage
from gencode.engine.task_ids import earliest_id
from gencode.storage.rows import (
    FIXED_COLUMNS,
    Row,
    callback_to_row,
    checkpoints_to_rows,
    event_to_row,
    key_to_row,
    read_request,
    replace_surrogates,
    request_to_row,
    row_to_callback,
    row_to_event,
    row_to_task,
    task_to_row,
    to_json,
)
from gencode.storage.usage_totals import TOTAL_KEY, add_up, task_usage, total_to_row
from gencode.storage.write_requests import check_digest, stale

PAGE_EVENTS = 500


class MemoryStore:
    """A `gencode.engine.ports.store.Store`, `Outbox`, `RetentionStore` and `UsageStore`.

    It stores rows, so that it too refuses what is not JSON. Its writes either return or store nothing:
    OutcomeUnknown is never raised.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, Row] = {}
        self._requests: dict[str, str] = {}
        self._events: dict[str, dict[int, Row]] = {}
        self._checkpoints: dict[str, dict[str, str]] = {}
        self._keys: dict[Row, Row] = {}
        self._callbacks: dict[str, Callback] = {}
        self._totals: list[UsageTotal] = []

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        row, (_, request_data) = task_to_row(task), request_to_row(task.id, request)
        key_row = key_to_row(key, task.id) if key else None
        if key_row and (stored := self._keys.get(key_row[:2])):
            return self._by_key(key_row, stored)
        if row[0] in self._tasks or (log := self._appended(row[0], events)) is None:
            raise StoreError("nothing was stored: such a task or event exists already")
        self._tasks[row[0]], self._requests[row[0]], self._events[row[0]] = row, request_data, log
        if key_row:
            self._keys[key_row[:2]] = key_row
        if callback:
            self._callbacks[row[0]] = row_to_callback(callback_to_row(callback))
        return task

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        row, checkpoint_rows = task_to_row(task), checkpoints_to_rows(task.id, checkpoints or {})
        stored = self._tasks.get(row[0])
        if stored is None or row_to_task(stored).version != task.version - 1:
            raise stale()
        if (log := self._appended(row[0], events)) is None:
            raise stale()
        fixed = len(FIXED_COLUMNS)
        self._tasks[row[0]], self._events[row[0]] = stored[:fixed] + row[fixed:], log
        self._checkpoints.setdefault(row[0], {}).update({name: data for _, name, data in checkpoint_rows})
        if any(event.kind in NOTIFIED_EVENTS for event in events):
            self._make_callback_due(row[0])

    async def find(self, query: TaskQuery) -> list[Task]:
        newest_first = (row_to_task(self._tasks[id_]) for id_ in sorted(self._tasks, reverse=True))
        return [task for task in newest_first if _matches(task, query)][: query.limit]

    async def count(self, query: TaskQuery) -> int:
        return sum(_matches(row_to_task(row), query) for row in self._tasks.values())

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        key_row = key_to_row(key, "")
        stored = self._keys.get(key_row[:2])
        return self._by_key(key_row, stored) if stored else None

    async def request(self, task_id: str) -> dict[str, Any]:
        data = self._requests.get(replace_surrogates(task_id))
        return read_request(data) if data is not None else {}

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        log = self._events.get(replace_surrogates(task_id), {})
        return [row_to_event(log[id_]) for id_ in sorted(log) if id_ > after]

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        found = await self.events(task_id, after)
        return found[:PAGE_EVENTS], len(found) <= PAGE_EVENTS

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        return dict(self._checkpoints.get(replace_surrogates(task_id), {}))

    async def check_writable(self) -> None: ...

    async def next_callbacks(
        self,
        limit: int,
        exclude_tasks: Collection[str] = (),
        exclude_names: Collection[str] = (),
        exclude_principals: Collection[str] = (),
        due: tuple[int, int] = ANY_TIME,
    ) -> list[Callback]:
        found = [
            (callback.due, replace(callback, principal=row_to_task(self._tasks[task_id]).principal.id))
            for task_id, callback in self._callbacks.items()
            if callback.due is not None
            and due[0] <= callback.due <= due[1]
            and task_id not in exclude_tasks
            and callback.host.rpartition(":")[0] not in exclude_names
        ]
        ordered = [callback for _, callback in sorted(found, key=lambda entry: entry[0])]
        return [one for one in ordered if one.principal not in exclude_principals][:limit]

    async def claim_callback(self, callback: Callback, until: int) -> bool:
        if self._callbacks.get(callback.task_id) != callback or callback.due is None:
            return False
        self._callbacks[callback.task_id] = replace(callback, due=until)
        return True

    async def save_callback(self, callback: Callback) -> None:
        stored = self._callbacks.get(replace_surrogates(callback.task_id))
        if not stored or stored.ended or stored.position > callback.position:
            return
        self._callbacks[stored.task_id] = replace(
            callback, task_id=stored.task_id, kind=stored.kind, url=stored.url, host=stored.host
        )
        if row_to_task(self._tasks[stored.task_id]).sequence > callback.position:
            self._make_callback_due(stored.task_id)

    async def callback(self, task_id: str) -> Callback | None:
        return self._callbacks.get(replace_surrogates(task_id))

    async def finished_tasks(self, updated_before: datetime, after: str, limit: int) -> list[FinishedTask]:
        found = [
            finished_task(task)
            for task in map(row_to_task, self._tasks.values())
            if task.id > after and task.updated_at < updated_before and self._is_deletable(task)
        ]
        return sorted(found, key=lambda task: task.id)[:limit]

    async def task_sizes(self, task_ids: Sequence[str]) -> dict[str, int]:
        return {id_: sum(len(text.encode()) for text in self._texts(id_)) for id_ in task_ids}

    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        wanted = {task.id: task.version for task in tasks}
        stored = [row_to_task(self._tasks[id_]) for id_ in wanted if id_ in self._tasks]
        deleted = [task for task in stored if task.version == wanted[task.id] and self._is_deletable(task)]
        self._totals = add_up([*self._totals, *map(self._usage, deleted)])
        for task in deleted:
            for records in (self._tasks, self._requests, self._events, self._checkpoints, self._callbacks):
                records.pop(task.id, None)
        self._keys = {name: key for name, key in self._keys.items() if key[3] in self._tasks}
        return [task.id for task in deleted]

    async def count_keys(self, created_before: datetime) -> int:
        return len(self._old_keys(created_before))

    async def delete_keys(self, created_before: datetime, limit: int) -> int:
        old = self._old_keys(created_before)[:limit]
        for name in old:
            del self._keys[name]
        return len(old)

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        wanted = [total for total in self._totals if principal in (None, total.principal)]
        return sorted(wanted, key=lambda total: total_to_row(total)[: len(TOTAL_KEY)])

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        stored = (row_to_task(row) for id_, row in sorted(self._tasks.items()) if id_ > after)
        found = [task for task in stored if task.principal.id == replace_surrogates(principal)]
        return [
            TaskUsage(id=task.id, is_over=task.state.is_terminal, usage=self._usage(task))
            for task in found[:limit]
        ]

    def _is_deletable(self, task: Task) -> bool:
        callback = self._callbacks.get(task.id)
        return task.state.is_terminal and (callback is None or callback.due is None)

    def _usage(self, task: Task) -> UsageTotal:
        events = map(row_to_event, self._events[task.id].values())
        usage = max(
            (event for event in events if event.kind == "usage"), key=lambda event: event.id, default=None
        )
        return task_usage(
            task.principal.id,
            task.kind,
            task.created_at.isoformat(),
            to_json(task.parameters),
            to_json(usage.data) if usage else None,
        )

    def _texts(self, task_id: str) -> Iterator[str]:
        yield self._requests.get(task_id, "")
        yield from (row[-1] for row in self._events.get(task_id, {}).values())
        yield from self._checkpoints.get(task_id, {}).values()

    def _old_keys(self, created_before: datetime) -> list[Row]:
        return [name for name, key in self._keys.items() if key[3] < earliest_id(created_before)]

    def _make_callback_due(self, task_id: str) -> None:
        callback = self._callbacks.get(task_id)
        if callback and callback.due is None and not callback.ended:
            self._callbacks[task_id] = replace(callback, due=0)

    def _by_key(self, key: Row, stored: Row) -> Task:
        return row_to_task(self._tasks[check_digest(key, stored)])

    def _appended(self, task_id: str, events: Sequence[Event]) -> dict[int, Row] | None:
        """The log with the events; None when an id is there already."""
        log = self._events.get(task_id, {})
        new = {event.id: event_to_row(event) for event in events}
        return None if len(new) < len(events) or new.keys() & log.keys() else log | new


def _matches(task: Task, query: TaskQuery) -> bool:
    return (
        (query.id is None or task.id == replace_surrogates(query.id))
        and (query.ids is None or task.id in {replace_surrogates(one) for one in query.ids})
        and (query.principal is None or task.principal.id == replace_surrogates(query.principal))
        and (query.kind is None or task.kind == replace_surrogates(query.kind))
        and (query.states is None or task.state in query.states)
        and (query.statuses is None or _has_status(task, query.statuses))
        and (query.cache_key is None or task.cache_key == replace_surrogates(query.cache_key) != "")
        and (query.before is None or task.id < replace_surrogates(query.before))
        and (query.expired is None or _has_expired(task, query.expired))
    )


def _has_expired(task: Task, at: datetime) -> bool:
    return task.paused_until is not None and task.paused_until <= at


def _has_status(task: Task, statuses: Collection[str]) -> bool:
    """A stage that has the name of a final status is no match for it."""
    wanted = statuses if task.state.is_terminal else set(statuses) - set(FINAL_STATUSES)
    return task.status in wanted
