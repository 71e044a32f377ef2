"""The call that looks for contradictions in the whole list of requirements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import BudgetExceeded
from gencode.llm.port import ChatRequest
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.requirement_analysis.answers import ComparisonAnswer, read_comparison
from gencode.pipelines.requirement_analysis.part_calls import MAX_TEXT, OF_ONE_PART
from gencode.pipelines.requirement_analysis.prompts import comparison_messages
from gencode.workspace.requirement_documents.requirement import (
    ComparisonLedger,
    Contradiction,
    PartStatus,
    Requirement,
    numbers_of,
)

MAX_LIST = 60_000
"""Characters of a list in one call; a longer list is compared in pieces, and the ledger says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    contradictions: list[Contradiction]
    ledger: ComparisonLedger


class Comparing:
    def __init__(self, calls: ModelCalls, max_tokens: int) -> None:
        self._calls = calls
        self._max_tokens = max_tokens

    async def compare(self, requirements: Sequence[Requirement]) -> Comparison:
        """A failed call is in the ledger: what was found in the parts is not lost for it. Raises errors that
        another attempt may cure."""
        numbered = list(zip(numbers_of(requirements), requirements, strict=True))
        pieces = list(_pieces(numbered))
        found: list[Contradiction] = []
        compared, error = 0, None
        for at, piece in enumerate(pieces, 1):
            try:
                found += await self._ask(f"contradictions {at}", piece)
            except (BudgetExceeded, *OF_ONE_PART) as failure:
                error = failure
                break
            compared = max(compared, len(piece))
        return Comparison(
            contradictions=found, ledger=_ledger(len(requirements), len(pieces), compared, error)
        )

    async def _ask(self, about: str, piece: Sequence[tuple[int, Requirement]]) -> list[Contradiction]:
        ids = {number: requirement.id for number, requirement in piece}
        if len(piece) < 2:
            return []
        request = ChatRequest(
            messages=comparison_messages([(number, one.statement) for number, one in piece]),
            max_tokens=self._max_tokens,
            json=True,
            max_text=MAX_TEXT,
        )
        read = partial(read_comparison, numbers=list(ids))
        answer = await self._calls.ask(about, request, read, ComparisonAnswer, _told)
        return [
            Contradiction(first=ids[one.first], second=ids[one.second], reason=one.reason)
            for one in answer.contradictions
        ]


def _told(answer: ComparisonAnswer) -> StageUpdate:
    return StageUpdate(kind="compared", data={"contradictions": len(answer.contradictions)})


def _pieces(
    requirements: Sequence[tuple[int, Requirement]],
) -> Iterator[list[tuple[int, Requirement]]]:
    piece: list[tuple[int, Requirement]] = []
    length = 0
    for number, one in requirements:
        if piece and length + len(one.statement) > MAX_LIST:
            yield piece
            piece, length = [], 0
        piece.append((number, one))
        length += len(one.statement) + 10
    if piece:
        yield piece


def _ledger(count: int, pieces: int, compared: int, error: GencodeError | None) -> ComparisonLedger:
    if error:
        status = PartStatus.OVER_BUDGET if isinstance(error, BudgetExceeded) else PartStatus.FAILED
        return ComparisonLedger(
            status=status, compared=compared, of=count, code=error.code, message=error.message
        )
    if pieces > 1:
        message = f"the list is too long for one call: it was compared in {pieces} pieces"
        return ComparisonLedger(status=PartStatus.CUT, compared=compared, of=count, message=message)
    return ComparisonLedger(status=PartStatus.ANALYSED, compared=count, of=count)
