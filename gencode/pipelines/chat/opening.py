"""Writes the rows of a turn: the question, and the answer that is to be written.

The rows are written when the message is accepted, so that they can be read at once, and again by the first
stage of the task: a process that ends in between loses nothing. Of two messages to one conversation at the
same time, the one whose rows are written first is answered.
"""

from __future__ import annotations

from contextlib import suppress

from gencode.domain.errors import AlreadyFinished, NotFound
from gencode.domain.task import Task
from gencode.engine.ports.store import Store
from gencode.engine.service import TaskService
from gencode.pipelines.chat.turn import restored
from gencode.workspace.conversations.messages import MessageWriter, NewTurn
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.database import Database
from gencode.workspace.errors import ConversationBusy


class Opening:
    def __init__(self, database: Database, tasks: Store) -> None:
        self._writer = MessageWriter(database)
        self._settlement = Settlement(database, tasks)

    async def __call__(self, turn: NewTurn, *, reopens: bool = True) -> None:
        """See MessageWriter.open."""
        await self._settlement.settle(turn.owner, turn.ids.conversation_id)
        await self._writer.open(turn, reopens=reopens)

    async def is_done(self, turn: NewTurn) -> bool:
        return await self._writer.knows(turn.ids.answer_id)


class Claim:
    """Writes the rows of a task that was just accepted."""

    def __init__(self, opening: Opening, tasks: Store) -> None:
        self._opening = opening
        self._tasks = tasks

    async def __call__(self, task: Task, service: TaskService) -> None:
        """Raises ConversationBusy and NotFound; the task is cancelled then. The same for a request that is
        repeated afterwards."""
        request = {**await self._tasks.request(task.id), **task.parameters}
        turn = restored(task, request, {}).new
        if await self._opening.is_done(turn):
            return
        if task.state.is_terminal:
            raise ConversationBusy("this message was refused: send it again, as another request")
        try:
            await self._opening(turn, reopens=False)
        except (ConversationBusy, NotFound):
            with suppress(AlreadyFinished):
                await service.cancel(task)
            raise
