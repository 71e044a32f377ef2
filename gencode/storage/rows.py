"""Converts records to the plain tuples that a table stores, and back. Independent of the database.

A principal's roles and teams are not stored: a task that is read carries its principal's id and kind only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.errors import RetryHelps
from gencode.domain.event import Event, dump
from gencode.domain.principal import Principal, PrincipalKind
from gencode.domain.task import Failure, State, Task, now
from gencode.engine.ports.retention_store import FinishedTask
from gencode.engine.ports.store import IdempotencyKey

Row = tuple[Any, ...]
"""Values in the order of their columns; each is a str, an int or None."""

FIXED_COLUMNS = ("id", "kind", "principal", "principal_kind", "language", "created_at", "trace")
"""Columns of a task that are written when it is created, and never again."""
CHANGING_COLUMNS = (
    "state",
    "stage",
    "message",
    "attempts",
    "sequence",
    "version",
    "updated_at",
    "paused_until",
    "failure",
    "result",
    "parameters",
    "retries",
    "cache_key",
    "owner",
)
TASK_COLUMNS = (*FIXED_COLUMNS, *CHANGING_COLUMNS)
REQUEST_COLUMNS = ("task_id", "data")
EVENT_COLUMNS = ("task_id", "id", "kind", "data")
CHECKPOINT_COLUMNS = ("task_id", "name", "data")
KEY_COLUMNS = ("principal", "value", "digest", "task_id")
CALLBACK_COLUMNS = ("task_id", "kind", "url", "host", "position", "failures", "due", "ended", "reason")

LATER, AFTER_CHANGE = RetryHelps.LATER.value, RetryHelps.AFTER_CHANGE.value
_EPOCH = datetime.fromtimestamp(0, UTC)
_Reader = Callable[[Callable[[Any], Any], Any, Any], Any]
"""Parses a column; takes the parser, the column and a default."""


# --- tasks ------------------------------------------------------------------------------------------


def task_to_row(task: Task) -> Row:
    """Raises ValueError or TypeError when `parameters` or `result` is not JSON."""
    return (
        replace_surrogates(task.id),
        replace_surrogates(task.kind),
        replace_surrogates(task.principal.id),
        task.principal.kind.value,
        replace_surrogates(task.language),
        task.created_at.isoformat(),
        replace_surrogates(task.trace),
        task.state.value,
        replace_surrogates(task.stage),
        replace_surrogates(task.message),
        task.attempts,
        task.sequence,
        task.version,
        task.updated_at.isoformat(),
        task.paused_until.isoformat() if task.paused_until else None,
        to_json(asdict(task.failure)) if task.failure else None,
        to_json(task.result),
        to_json(task.parameters),
        to_json(task.retries),
        replace_surrogates(task.cache_key),
        replace_surrogates(task.owner),
    )


def row_to_task(row: Row) -> Task:
    """Never raises. An unknown state is State.UNKNOWN.

    A column that cannot be read is empty; such a task, if it is unfinished, is of State.UNKNOWN too, so that
    it is left alone.
    """
    columns = dict(zip(TASK_COLUMNS, row, strict=True))
    state = _read_or(State, columns["state"], State.UNKNOWN)
    try:
        return _task(columns, state, _read)
    except Exception:
        return _task(columns, state if state.is_terminal else State.UNKNOWN, _read_or)


def _task(columns: Mapping[str, Any], state: State, read: _Reader) -> Task:
    """An unknown kind of principal is read as the one with the fewest rights."""
    kind = _read_or(PrincipalKind, columns["principal_kind"], PrincipalKind.API_KEY)
    return Task(
        id=columns["id"],
        kind=columns["kind"],
        principal=Principal(id=columns["principal"], kind=kind),
        language=columns["language"],
        created_at=read(_moment, columns["created_at"], _EPOCH),
        trace=columns["trace"],
        state=state,
        stage=columns["stage"],
        message=columns["message"],
        attempts=columns["attempts"],
        sequence=columns["sequence"],
        version=columns["version"],
        updated_at=read(_moment, columns["updated_at"], _EPOCH),
        paused_until=read(_moment, until, None) if (until := columns["paused_until"]) is not None else None,
        failure=read(_failure, failure, None) if (failure := columns["failure"]) is not None else None,
        result=read(from_json, columns["result"], {}),
        parameters=read(from_json, columns["parameters"], {}),
        retries=read(from_json, columns["retries"], {}),
        cache_key=columns["cache_key"],
        owner=columns["owner"],
    )


def _moment(column: str) -> datetime:
    moment = datetime.fromisoformat(column)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _failure(column: str) -> Failure:
    """Earlier versions stored no `retry_helps`; fields of newer versions are left out."""
    data = from_json(column)
    retry_helps = data.get("retry_helps") or (LATER if data["retryable"] else AFTER_CHANGE)
    return Failure(
        code=data["code"],
        message=data["message"],
        retryable=data["retryable"],
        stage=data.get("stage", ""),
        retry_helps=retry_helps,
        retry_fields=tuple(data.get("retry_fields", ())),
    )


def row_to_finished_task(row: Row) -> FinishedTask:
    """Columns: id, version, principal, kind, updated_at. Never raises: a damaged time is now."""
    task_id, version, principal, kind, updated_at = row
    return FinishedTask(
        id=task_id,
        version=version,
        principal=principal,
        kind=kind,
        updated_at=_read_or(_moment, updated_at, now()),
    )


# --- other records ----------------------------------------------------------------------------------


def event_to_row(event: Event) -> Row:
    """Raises ValueError or TypeError when `data` is not JSON."""
    return replace_surrogates(event.task_id), event.id, replace_surrogates(event.kind), to_json(event.data)


def row_to_event(row: Row) -> Event:
    """Never raises: damaged data is empty."""
    task_id, id_, kind, data = row
    return Event(task_id=task_id, id=id_, kind=kind, data=_read_or(from_json, data, {}))


def request_to_row(task_id: str, request: Mapping[str, Any]) -> Row:
    """Raises ValueError or TypeError when the request is not JSON."""
    return replace_surrogates(task_id), to_json(request)


def read_request(data: str) -> dict[str, Any]:
    """Never raises: a damaged request is empty."""
    request: dict[str, Any] = _read_or(from_json, data, {})
    return request


def key_to_row(key: IdempotencyKey, task_id: str) -> Row:
    return tuple(map(replace_surrogates, (key.principal, key.value, key.digest, task_id)))


def checkpoints_to_rows(task_id: str, checkpoints: Mapping[str, str]) -> list[Row]:
    return [
        (replace_surrogates(task_id), replace_surrogates(name), replace_surrogates(data))
        for name, data in checkpoints.items()
    ]


def callback_to_row(callback: Callback) -> Row:
    return (
        replace_surrogates(callback.task_id),
        replace_surrogates(callback.kind),
        replace_surrogates(callback.url),
        replace_surrogates(callback.host),
        callback.position,
        callback.failures,
        callback.due,
        int(callback.ended),
        replace_surrogates(callback.reason),
    )


def row_to_callback(row: Row) -> Callback:
    columns = dict(zip(CALLBACK_COLUMNS, row, strict=True))
    return Callback(**{**columns, "ended": bool(columns["ended"])})


# --- values -----------------------------------------------------------------------------------------


def replace_surrogates(value: str) -> str:
    """UTF-8 cannot hold a lone surrogate: it becomes "?", as in `gencode.domain.event.dump`."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def to_json(data: Mapping[str, Any]) -> str:
    """Raises ValueError or TypeError."""
    return dump(data).decode() if data else "{}"


def from_json(column: str) -> dict[str, Any]:
    """Raises ValueError or TypeError for what is not a JSON object."""
    if column == "{}":  # most results and retries of a list: parsing is half of the time of reading a row
        return {}
    data = json.loads(column)
    if not isinstance(data, dict):
        raise TypeError("not a JSON object")
    return data


def _read(parse: Callable[[Any], Any], column: Any, default: Any) -> Any:
    return parse(column)


def _read_or(parse: Callable[[Any], Any], column: Any, default: Any) -> Any:
    try:
        return parse(column)
    except Exception:
        return default
