"""Answers whose tasks are over get their text and their bill when somebody looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gencode.domain.task import Failure, State
from gencode.storage.memory import MemoryStore
from gencode.workspace.conversations.branches import MessageReader
from gencode.workspace.conversations.messages import MessageWriter
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.conversations.written_text import piece
from tests.servers.workspace import ACTOR, workspace
from tests.unit.storage.samples import a_task
from tests.unit.workspace.test_conversations import begun, turn

USED = {"prompt": 10, "completion": 5, "estimated": True, "cost": "0.5"}
FAILURE = Failure(code="LLM_NETWORK", message="it broke", retryable=True)


@pytest.mark.parametrize(
    ("state", "failure", "status"),
    [
        (State.CANCELLED, None, "stopped"),
        (State.FAILED, FAILURE, "failed"),
        (State.SUCCEEDED, None, "complete"),
        (State.RUNNING, None, "streaming"),
        (State.QUEUED, None, "streaming"),
    ],
)
async def test_the_state_of_the_task_decides(
    database_url: str, state: State, failure: Failure | None, status: str
) -> None:
    tasks = MemoryStore()
    async with workspace(database_url) as opened:
        writer, settlement = MessageWriter(opened.database), Settlement(opened.database, tasks)
        new = turn(await begun(opened))
        await writer.open(new, reopens=True)
        fields: dict[str, Any] = {"state": state, "failure": failure, "result": {"usage": USED}}
        task = a_task(ACTOR.id, id=new.task.id, **fields)
        await tasks.create(task, {}, [])
        await tasks.commit(replace(task, version=task.version + 1), [], piece(1, 0, "So far"))
        unfinished = await settlement.settle(ACTOR.id, new.ids.conversation_id)
        (row,) = await MessageReader(opened.database).messages([new.ids.answer_id])
        assert row.status == status
        if status == "streaming":
            assert [one.answer_id for one in unfinished] == [row.id]
            assert await settlement.text_so_far(unfinished[0]) == "So far"
            return
        assert (unfinished, row.content, row.tokens, row.cost) == ([], "So far", 15, "0.5")
        assert (row.failure is None) == (failure is None)
        assert await settlement.settle(ACTOR.id) == []


async def test_an_answer_whose_task_was_pruned_keeps_what_the_row_has(database_url: str) -> None:
    async with workspace(database_url) as opened:
        writer, settlement = MessageWriter(opened.database), Settlement(opened.database, MemoryStore())
        new = turn(await begun(opened))
        await writer.open(new, reopens=True)
        await writer.save(new.ids.answer_id, "The beginning", new.task)
        assert await settlement.settle("somebody else") == []
        assert await settlement.settle(ACTOR.id) == []
        (row,) = await MessageReader(opened.database).messages([new.ids.answer_id])
        assert (row.status, row.content, row.tokens) == ("failed", "The beginning", 0)
