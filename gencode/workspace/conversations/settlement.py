"""Completes the answers whose tasks are over.

The task's log is the truth of an answer, and the row of the message a copy. A task that succeeds writes the
copy itself; one that was stopped or has failed runs no code any more, so its copy is made before a
conversation or its messages are read. A failed task that was retried is being written again from then on,
also before a worker has it. The copies have the version of the task (see gencode.workspace.task_rows), so
that a reader that is slower than a retry changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.workspace.conversations.messages import FinishedAnswer, MessageWriter
from gencode.workspace.conversations.tables import ChatMessage, MessageStatus
from gencode.workspace.conversations.written_text import written_text
from gencode.workspace.database import Database
from gencode.workspace.task_rows import TaskVersion

USAGE, CONTEXT = "usage", "context"
"""Fields of the result of a task that answers."""
CHAT = "chat"
"""The kind of the tasks that answer."""
UNFINISHED = (State.QUEUED, State.RUNNING, State.PAUSED)
_STATUS = {State.SUCCEEDED: MessageStatus.COMPLETE, State.CANCELLED: MessageStatus.STOPPED}
_NOT_USED: Mapping[str, Any] = {"prompt": 0, "completion": 0, "estimated": False, "cost": "0"}
_PRUNED = {"code": "NOT_FOUND", "message": "the task of this answer was deleted"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Streaming:
    """An answer that is being written, as its row says."""

    answer_id: str
    task_id: str
    content: str


class Settlement:
    """`tasks`: the store of the tasks."""

    def __init__(self, database: Database, tasks: Store) -> None:
        self._database = database
        self._tasks = tasks
        self._writer = MessageWriter(database)

    async def settle(self, owner: str, conversation_id: str | None = None) -> list[Streaming]:
        """Completes the owner's answers whose tasks are over. Returns those that are still being written."""
        await self._reopen_retried(owner, conversation_id)
        for answer in await self._answers(owner, conversation_id, MessageStatus.STREAMING):
            found = await self._tasks.find(TaskQuery(id=answer.task_id, limit=1))
            if not found:
                await self._writer.finish(answer.answer_id, _of_a_pruned_task(answer), None)
            elif found[0].state.is_terminal:
                finished = answer_of(found[0], await self._tasks.checkpoints(answer.task_id))
                await self._writer.finish(answer.answer_id, finished, TaskVersion.of(found[0]))
        return await self._answers(owner, conversation_id, MessageStatus.STREAMING)

    async def _reopen_retried(self, owner: str, conversation_id: str | None) -> None:
        """The answers that have failed, and whose tasks go on."""
        going_on = TaskQuery(principal=owner, kind=CHAT, states=UNFINISHED)
        if not (tasks := {task.id: task for task in await self._tasks.find(going_on)}):
            return
        of_them = ChatMessage.task_id.in_(tasks)
        for answer in await self._answers(owner, conversation_id, MessageStatus.FAILED, of_them):
            await self._writer.reopen(answer.answer_id, TaskVersion.of(tasks[answer.task_id]))

    async def text_so_far(self, answer: Streaming) -> str:
        return written_text(await self._tasks.checkpoints(answer.task_id)).text

    async def _answers(
        self,
        owner: str,
        conversation_id: str | None,
        status: MessageStatus,
        *more: ColumnElement[bool],
    ) -> list[Streaming]:
        mine = [ChatMessage.owner == owner, ChatMessage.status == status.value, *more]
        if conversation_id:
            mine.append(ChatMessage.conversation_id == conversation_id)
        query = select(ChatMessage.id, ChatMessage.task_id, ChatMessage.content).where(*mine)
        async with self._database.transaction() as session:
            rows = (await session.execute(query)).all()
        return [Streaming(answer_id=row[0], task_id=row[1] or "", content=row[2]) for row in rows]


def answer_of(task: Task, checkpoints: Mapping[str, str]) -> FinishedAnswer:
    """The answer of a task that is over."""
    failure = task.failure
    return finished_answer(
        _STATUS.get(task.state, MessageStatus.FAILED),
        written_text(checkpoints).text,
        task.result,
        {"code": failure.code, "message": failure.message} if failure else None,
    )


def finished_answer(
    status: MessageStatus, text: str, result: Mapping[str, Any], failure: Mapping[str, Any] | None = None
) -> FinishedAnswer:
    """`result`: of the task."""
    usage = result.get(USAGE) or _NOT_USED
    return FinishedAnswer(
        status=status,
        content=text,
        prompt_tokens=usage["prompt"],
        completion_tokens=usage["completion"],
        cost=usage["cost"],
        is_estimated=usage["estimated"],
        is_truncated=bool(result.get("truncated")),
        context=result.get(CONTEXT),
        citations=result.get("citations", ()),
        failure=failure,
    )


def _of_a_pruned_task(answer: Streaming) -> FinishedAnswer:
    return finished_answer(MessageStatus.FAILED, answer.content, {}, _PRUNED)
