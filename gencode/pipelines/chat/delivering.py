"""The stage `delivering`: quotes are verified; the answer's row gets its text, its citations and its bill."""

from __future__ import annotations

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.chat.sources import citations
from gencode.pipelines.chat.turn import Turn
from gencode.workspace.conversations.messages import MessageWriter
from gencode.workspace.conversations.settlement import finished_answer
from gencode.workspace.conversations.tables import MessageStatus
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases

CITATIONS = "citations"


class Delivering:
    def __init__(self, knowledge: KnowledgeBases) -> None:
        self._knowledge = knowledge
        self._writer = MessageWriter(knowledge.workspace.database)

    async def __call__(self, turn: Turn, emit: Emit) -> Turn:
        result = dict(turn.result)
        if turn.context and turn.context.sources and CITATIONS not in result:
            text, sources = turn.written.text, turn.context.sources
            checked = await citations(self._knowledge, turn.new.owner, text, sources)
            result[CITATIONS] = checked
            data = {CITATIONS: checked}
            await emit(StageUpdate(kind=CITATIONS, data=data, result={CITATIONS: checked}))
        answer = finished_answer(MessageStatus.COMPLETE, turn.written.text, result)
        await self._writer.finish(turn.new.ids.answer_id, answer, turn.new.task)
        return turn
