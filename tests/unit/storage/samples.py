"""Tasks and events to store."""

from __future__ import annotations

from typing import Any

from gencode.domain.event import Event
from gencode.domain.task import Task, now
from gencode.engine.ids import new_id


def a_task(**fields: Any) -> Task:
    moment = now()
    defaults: dict[str, Any] = {
        "id": new_id(),
        "kind": "generate",
        "client": "alice",
        "request": {"prompt": "a flask app"},
        "created_at": moment,
        "updated_at": moment,
    }
    return Task(**(defaults | fields))


def an_event(task: Task, id_: int, **data: Any) -> Event:
    return Event(task_id=task.id, id=id_, kind="status", data=data or {"status": task.status})
