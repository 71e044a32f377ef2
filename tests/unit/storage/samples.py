"""Tasks and events to store."""

from __future__ import annotations

from typing import Any

from gencode.domain.event import Event
from gencode.domain.principal import Principal
from gencode.domain.task import Task, now
from gencode.engine.task_ids import new_id

REQUEST = {"prompt": "a flask app", "model": "m"}


def a_task(principal: str | Principal = "alice", **fields: Any) -> Task:
    moment = now()
    defaults: dict[str, Any] = {
        "id": new_id(),
        "kind": "generate",
        "principal": Principal(id=principal) if isinstance(principal, str) else principal,
        "created_at": moment,
        "updated_at": moment,
        "parameters": {"model": "m"},
    }
    return Task(**(defaults | fields))


def an_event(task: Task, id_: int, kind: str = "status", **data: Any) -> Event:
    return Event(task_id=task.id, id=id_, kind=kind, data=data or {"status": task.status})
