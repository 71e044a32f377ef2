"""Ends the answers that are being written for a conversation that is deleted: nobody will read them."""

from __future__ import annotations

from contextlib import suppress

from gencode.domain.errors import AlreadyFinished
from gencode.engine.ports.store import TaskQuery
from gencode.http.dependencies import Services
from gencode.workspace.conversations.settlement import Settlement


async def cancel_answers(
    services: Services, owner: str, conversation_id: str, settlement: Settlement
) -> None:
    for answer in await settlement.settle(owner, conversation_id):
        for task in await services.store.find(TaskQuery(id=answer.task_id, limit=1)):
            with suppress(AlreadyFinished):
                await services.task_service.cancel(task)
