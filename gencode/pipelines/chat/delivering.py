"""The stage `delivering`: the answer's row gets its text and its bill."""

from __future__ import annotations

from gencode.engine.ports.pipeline import Emit
from gencode.pipelines.chat.turn import Turn
from gencode.workspace.conversations.messages import MessageWriter
from gencode.workspace.conversations.settlement import finished_answer
from gencode.workspace.conversations.tables import MessageStatus
from gencode.workspace.database import Database


class Delivering:
    def __init__(self, database: Database) -> None:
        self._writer = MessageWriter(database)

    async def __call__(self, turn: Turn, emit: Emit) -> Turn:
        answer = finished_answer(MessageStatus.COMPLETE, turn.written.text, turn.result)
        await self._writer.finish(turn.new.ids.answer_id, answer)
        return turn
