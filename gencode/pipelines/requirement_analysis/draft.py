"""From the answers about parts to the requirements of the document, by code: quotes are verified, duplicates
merged, ids given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gencode.pipelines.requirement_analysis.answers import FoundRequirement, PartAnswer
from gencode.pipelines.requirement_analysis.source import Part, Source
from gencode.retrieval.source_text import SourceText, comparable, occurrences
from gencode.workspace.requirement_documents.identity import name, normalised
from gencode.workspace.requirement_documents.requirement import (
    MAX_REQUIREMENTS,
    PartLedger,
    PartStatus,
    Requirement,
    SourceQuote,
)

SHORTEST_QUOTE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOutcome:
    """What became of a part, and the answer about it if there is one."""

    part: Part
    status: PartStatus
    answer: PartAnswer | None = None
    code: str | None = None
    message: str | None = None

    def ledger(self) -> PartLedger:
        return PartLedger(
            number=self.part.number,
            section=self.part.section,
            start=self.part.start,
            end=self.part.end,
            status=self.status,
            requirements=len(self.answer.requirements) if self.answer else 0,
            code=self.code,
            message=self.message,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Without contradictions. `left_out`: requirements beyond MAX_REQUIREMENTS."""

    requirements: list[Requirement]
    open_questions: list[str]
    parts: list[PartLedger]
    left_out: int
    next_number: int
    by_rules: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Merged:
    found: FoundRequirement
    source: SourceQuote
    at: int
    """Where it stands, or where its part begins."""


def draft_of(source: Source, outcomes: Sequence[PartOutcome]) -> Draft:
    """The same for the same answers. A quote that is not in its part is searched in the whole document."""
    in_order = sorted(outcomes, key=lambda outcome: (outcome.part.start, outcome.part.end))
    quotes = _Quotes(source)
    placed = [
        _placed(source, quotes, outcome.part, found)
        for outcome in in_order
        if outcome.answer
        for found in outcome.answer.requirements
    ]
    merged = _without_duplicates(sorted(placed, key=lambda one: one.at))
    kept = merged[:MAX_REQUIREMENTS]
    named = name([(one.found.statement, one.source) for one in kept], source.previous, source.next_number)
    answers = [outcome.answer for outcome in in_order if outcome.answer]
    return Draft(
        requirements=[_requirement(one, number) for one, number in zip(kept, named.ids, strict=True)],
        open_questions=_distinct(text for answer in answers for text in answer.open_questions),
        parts=[outcome.ledger() for outcome in in_order],
        left_out=len(merged) - len(kept),
        next_number=named.next_number,
        by_rules=any(answer.by_rules for answer in answers),
    )


class _Quotes:
    """Finds quotes in a document: in their part first, which takes no time, else anywhere."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._whole: SourceText | None = None
        self._parts: dict[str, SourceText] = {}

    def place(self, part: Part, quoted: str) -> tuple[int, int] | None:
        """Start and end."""
        quote = comparable(quoted).text
        if len(quote) < SHORTEST_QUOTE:
            return None
        if found := occurrences(self._text_of(part), quote, 1):
            return part.start + found[0][0], part.start + found[0][1]
        self._whole = self._whole or comparable(self._source.text)
        return next(iter(occurrences(self._whole, quote, 1)), None)

    def _text_of(self, part: Part) -> SourceText:
        if part.name not in self._parts:
            self._parts[part.name] = comparable(self._source.text[part.start : part.end])
        return self._parts[part.name]


def _placed(source: Source, quotes: _Quotes, part: Part, found: FoundRequirement) -> _Merged:
    place = quotes.place(part, found.quote)
    if place is None:
        section, page = source.section_at(part.start)
        unverified = SourceQuote(
            text=found.quote, is_verified=False, page=page, section=section or part.section
        )
        return _Merged(found=found, source=unverified, at=part.start)
    start, end = place
    section, page = source.section_at(start)
    verified = SourceQuote(
        text=source.text[start:end], is_verified=True, start=start, end=end, page=page, section=section
    )
    return _Merged(found=found, source=verified, at=start)


def _without_duplicates(placed: Iterable[_Merged]) -> list[_Merged]:
    """Those with the same statement are one, with the details of all."""
    merged: dict[str, _Merged] = {}
    for one in placed:
        key = normalised(one.found.statement) or one.found.statement
        first = merged.get(key)
        merged[key] = _joined(first, one) if first else one
    return list(merged.values())


def _joined(first: _Merged, second: _Merged) -> _Merged:
    details = {
        field: _distinct([*getattr(first.found, field), *getattr(second.found, field)])
        for field in ("acceptance_criteria", "open_questions", "test_points")
    }
    source = second.source if second.source.is_verified and not first.source.is_verified else first.source
    return replace(first, found=first.found.model_copy(update=details), source=source)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list({normalised(text) or text: text for text in reversed(list(texts))}.values())[::-1]


def _requirement(one: _Merged, requirement_id: str) -> Requirement:
    return Requirement(
        id=requirement_id,
        type=one.found.type,
        statement=one.found.statement,
        source=one.source,
        acceptance_criteria=one.found.acceptance_criteria,
        open_questions=one.found.open_questions,
        test_points=one.found.test_points,
    )
