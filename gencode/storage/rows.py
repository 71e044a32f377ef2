"""How tasks and events lie in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.event import Event, dump
from gencode.domain.task import Failure, Status, Task
from gencode.engine.store import IdempotencyKey

Row = tuple[Any, ...]
"""Values in the order of the columns that it belongs to; each is str, int or None."""

TASK_COLUMNS = (
    "id",
    "kind",
    "client",
    "language",
    "status",
    "message",
    "attempts",
    "sequence",
    "created_at",
    "updated_at",
    "held_until",
    "failure",
    "result",
    "request",
    "retries",
    "digest",
    "trace",
)
EVENT_COLUMNS = ("task_id", "id", "kind", "data")
PART_COLUMNS = ("task_id", "name", "data")
KEY_COLUMNS = ("client", "value", "digest", "task_id")
CALLBACK_COLUMNS = (
    "task_id",
    "kind",
    "url",
    "host",
    "position",
    "failures",
    "due",
    "ended",
    "reason",
)


def task_row(task: Task) -> Row:
    """Raises ValueError or TypeError when `request` or `result` is not JSON."""
    return (
        text(task.id),
        text(task.kind),
        text(task.client),
        text(task.language),
        task.status.value,
        text(task.message),
        task.attempts,
        task.sequence,
        task.created_at.isoformat(),
        task.updated_at.isoformat(),
        task.paused_until.isoformat() if task.paused_until else None,
        _failure_json(task.failure),
        _json(task.result),
        _json(task.request),
        _json(task.retries),
        text(task.digest),
        text(task.trace),
    )


def task_from(row: Row) -> Task:
    columns = dict(zip(TASK_COLUMNS, row, strict=True))
    return Task(
        id=columns["id"],
        kind=columns["kind"],
        client=columns["client"],
        language=columns["language"],
        status=Status(columns["status"]),
        message=columns["message"],
        attempts=columns["attempts"],
        sequence=columns["sequence"],
        created_at=datetime.fromisoformat(columns["created_at"]),
        updated_at=datetime.fromisoformat(columns["updated_at"]),
        paused_until=datetime.fromisoformat(held) if (held := columns["held_until"]) else None,
        failure=_failure_from(columns["failure"]),
        result=json.loads(columns["result"]),
        request=json.loads(columns["request"]),
        retries=json.loads(columns["retries"]),
        digest=columns["digest"],
        trace=columns["trace"],
    )


def event_row(event: Event) -> Row:
    """Raises ValueError or TypeError when `data` is not JSON."""
    return text(event.task_id), event.id, text(event.kind), _json(event.data)


def event_from(row: Row) -> Event:
    task_id, id_, kind, data = row
    return Event(task_id=task_id, id=id_, kind=kind, data=json.loads(data))


def key_row(key: IdempotencyKey, task_id: str) -> Row:
    return text(key.client), text(key.value), text(key.digest), text(task_id)


def part_rows(task_id: str, keep: Mapping[str, str]) -> list[Row]:
    return [(text(task_id), text(name), text(data)) for name, data in keep.items()]


def callback_row(callback: Callback) -> Row:
    return (
        text(callback.task_id),
        text(callback.kind),
        text(callback.url),
        text(callback.host),
        callback.position,
        callback.failures,
        callback.due,
        int(callback.ended),
        text(callback.reason),
    )


def callback_from(row: Row) -> Callback:
    columns = dict(zip(CALLBACK_COLUMNS, row, strict=True))
    return Callback(**{**columns, "ended": bool(columns["ended"])})


def text(value: str) -> str:
    """What UTF-8 can hold of a string: a lone surrogate becomes "?", as in `gencode.domain.event.dump`."""
    return value.encode("utf-8", "replace").decode()


def _json(data: Mapping[str, Any]) -> str:
    return dump(data).decode()


def _failure_json(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    return _json(asdict(failure))


def _failure_from(column: str | None) -> Failure | None:
    if column is None:
        return None
    data = json.loads(column)
    return Failure(**{**data, "stage": Status(data.get("stage", Status.PENDING))})
