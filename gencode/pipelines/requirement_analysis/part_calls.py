"""The model calls about the parts of a document: a few at a time; each answer is stored."""

from __future__ import annotations

from collections import deque

import anyio

from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import (
    BudgetExceeded,
    LLMBadOutput,
    LLMRefused,
    LLMTooLarge,
    LLMTruncated,
)
from gencode.llm.port import ChatRequest
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.requirement_analysis.answers import PartAnswer, read_part
from gencode.pipelines.requirement_analysis.draft import PartOutcome
from gencode.pipelines.requirement_analysis.prompts import part_messages
from gencode.pipelines.requirement_analysis.source import Part, Source, halves
from gencode.workspace.requirement_documents.requirement import PartStatus

MAX_TEXT = 400_000
"""Characters of an answer."""
OF_ONE_PART = (LLMBadOutput, LLMRefused, LLMTooLarge, LLMTruncated)
"""Errors that say nothing about the other parts."""


class PartCalls:
    """Errors about one part are in its outcome; any other ends the run once the calls under way have ended,
    because they are paid for."""

    def __init__(self, calls: ModelCalls, source: Source, max_tokens: int, at_once: int) -> None:
        self._calls = calls
        self._source = source
        self._max_tokens = max_tokens
        self._at_once = at_once
        self._waiting = deque(source.parts)
        self._outcomes: list[PartOutcome] = []
        self._fatal: GencodeError | None = None
        self._first_error: GencodeError | None = None

    async def ask_all(self) -> list[PartOutcome]:
        """Raises the error of a call that concerns all; and, if no part was analysed, that of the first."""
        async with anyio.create_task_group() as group:
            for _ in range(min(self._at_once, len(self._waiting))):
                group.start_soon(self._work)
        if self._fatal:
            raise self._fatal
        if self._first_error and not any(outcome.answer for outcome in self._outcomes):
            raise self._first_error
        return self._outcomes

    async def _work(self) -> None:
        while self._waiting and not self._fatal:
            part = self._waiting.popleft()
            try:
                outcome = await self._outcome(part)
            except GencodeError as error:
                self._fatal = self._fatal or error
                return
            if outcome:
                self._outcomes.append(outcome)

    async def _outcome(self, part: Part) -> PartOutcome | None:
        """None for a part whose answer was cut: its halves are asked about next."""
        try:
            answer = await self._ask(part)
        except (BudgetExceeded, *OF_ONE_PART) as error:
            return await self._failed(part, error)
        if not answer.is_cut:
            return PartOutcome(part=part, status=PartStatus.ANALYSED, answer=answer)
        if smaller := halves(self._source.text, part):
            self._waiting.extendleft(reversed(smaller))
            return None
        message = "the answer was too long even for the smallest piece"
        return PartOutcome(part=part, status=PartStatus.CUT, answer=answer, message=message)

    async def _ask(self, part: Part) -> PartAnswer:
        source = self._source
        messages = part_messages(
            source.document_name,
            part.section,
            f"{part.name} of {len(source.parts)}",
            source.text[part.start : part.end],
            source.instructions,
        )
        request = ChatRequest(messages=messages, max_tokens=self._max_tokens, json=True, max_text=MAX_TEXT)
        return await self._calls.ask(
            f"part {part.name}", request, read_part, PartAnswer, lambda answer: self._told(part, answer)
        )

    async def _failed(self, part: Part, error: GencodeError) -> PartOutcome:
        self._first_error = self._first_error or error
        over_budget = isinstance(error, BudgetExceeded)
        outcome = PartOutcome(
            part=part,
            status=PartStatus.OVER_BUDGET if over_budget else PartStatus.FAILED,
            code=error.code,
            message=error.message,
        )
        data = {"code": error.code, "message": error.message, "requirements": 0}
        await self._calls.session.emit(self._event(part, outcome.status, data))
        return outcome

    def _told(self, part: Part, answer: PartAnswer) -> StageUpdate:
        status = PartStatus.CUT if answer.is_cut else PartStatus.ANALYSED
        return self._event(part, status, {"requirements": len(answer.requirements)})

    def _event(self, part: Part, status: PartStatus, data: dict[str, object]) -> StageUpdate:
        where = {"part": part.name, "of": len(self._source.parts), "section": part.section}
        return StageUpdate(kind="section", data={**where, "status": status.value, **data})
