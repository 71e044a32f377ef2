"""The stage `collecting`: writes the rows of the question and the answer, and chooses the earlier messages
that the model sees."""

from __future__ import annotations

from dataclasses import replace

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.chat.opening import Opening
from gencode.pipelines.chat.prompt import fitting, tokens_of
from gencode.pipelines.chat.sources import MAX_SOURCES, fitting_sources, sources_text
from gencode.pipelines.chat.turn import CONTEXT, Context, Turn
from gencode.workspace.conversations.branches import MessageReader
from gencode.workspace.conversations.tables import ChatMessage
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.sources import KnowledgeFound

MAX_QUERY = 10_000
"""Characters of the message that are searched for."""
BATCH = 50
"""Messages that are read together."""


class Collecting:
    def __init__(self, knowledge: KnowledgeBases, opening: Opening) -> None:
        self._opening = opening
        self._knowledge = knowledge
        self._reader = MessageReader(knowledge.workspace.database)

    async def __call__(self, turn: Turn, emit: Emit) -> Turn:
        """Raises NotFound, ConversationBusy."""
        await self._opening(turn.new)
        if turn.context:
            return turn
        context = await self._choose(turn)
        result = {CONTEXT: context.shown()}
        told = {"messages": len(context.messages), **context.shown()}
        await emit(
            StageUpdate(
                kind=CONTEXT,
                data=told,
                checkpoints={CONTEXT: context.model_dump_json()},
                result=result,
            )
        )
        return replace(turn, context=context, result={**turn.result, **result})

    async def _choose(self, turn: Turn) -> Context:
        tree = await self._reader.tree(turn.new.ids.conversation_id)
        *earlier, question = tree.branch(turn.new.ids.question_id)
        (asked,) = await self._reader.messages([question])
        fixed = tokens_of(turn.system) + tokens_of(asked.content)
        found = await self._search(turn, asked.content)
        sources = fitting_sources(found.sources, turn.context_tokens - fixed) if found else []
        fixed += tokens_of(sources_text(sources)) if sources else 0
        kept = await self._newest(earlier, turn.context_tokens - fixed)
        return Context(
            messages=tuple(message.id for message in kept),
            left_out=len(earlier) - len(kept),
            tokens=fixed + sum(tokens_of(message.content) for message in kept),
            sources=tuple(sources),
            is_complete=found.is_complete if found else True,
        )

    async def _search(self, turn: Turn, question: str) -> KnowledgeFound | None:
        """Raises NotFound if the knowledge base was deleted."""
        if turn.knowledge_base_id is None:
            return None
        new, bases = turn.new, [turn.knowledge_base_id]
        return await self._knowledge.search_bases(
            new.owner, bases, question[:MAX_QUERY], MAX_SOURCES, task_id=new.task.id
        )

    async def _newest(self, ids: list[str], room: int) -> list[ChatMessage]:
        """Those that fit. Long conversations are read only as far as they do."""
        found: list[ChatMessage] = []
        while ids and room > 0:
            ids, batch = ids[:-BATCH], ids[-BATCH:]
            found = [*await self._reader.messages(batch), *found]
            if sum(tokens_of(message.content) for message in found) > room:
                break
        return fitting(found, room)
