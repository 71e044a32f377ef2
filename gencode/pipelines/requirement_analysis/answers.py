"""What the model answers: read leniently, since each field is a hint that code checks; an answer without the
list that was asked for is an error, and one that was cut says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.codegen.lenient_json import NotJson, find_list, find_object, read_value
from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer
from gencode.workspace.requirement_documents.requirement import RequirementType

MAX_OF_PART = 200
"""Requirements in one answer."""
MAX_STATEMENT, MAX_ITEM, MAX_ITEMS = 2000, 1000, 20
MAX_PAIRS = 500
REQUIREMENTS, CONTRADICTIONS = "requirements", "contradictions"
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NON_FUNCTIONAL = (
    "non",
    "nfr",
    "quality",
    "performance",
    "security",
    "usability",
    "非功能",
    "质量",
    "性能",
    "安全",
)
_CONSTRAINTS = ("constraint", "restriction", "约束", "限制")


class FoundRequirement(BaseModel):
    """A requirement as the model tells it: nothing is checked yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: RequirementType
    statement: str
    quote: str
    acceptance_criteria: list[str]
    open_questions: list[str]
    test_points: list[str]


class PartAnswer(BaseModel):
    """is_cut     the answer ended before the list did: what is here is whole
    dropped    entries without a statement
    by_rules   the offline model made it
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    requirements: list[FoundRequirement]
    open_questions: list[str]
    is_cut: bool = False
    dropped: int = 0
    by_rules: bool = False


class FoundContradiction(BaseModel):
    """`first`, `second`: numbers of requirements."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    first: int
    second: int
    reason: str


class ComparisonAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    contradictions: list[FoundContradiction]


def read_part(answer: Answer) -> PartAnswer:
    """Raises LLMBadOutput."""
    entries, whole = _entries(answer, REQUIREMENTS)
    found = [read for entry in entries[:MAX_OF_PART] if (read := _requirement(entry))]
    return PartAnswer(
        requirements=found,
        open_questions=_texts(whole.get("open_questions")),
        is_cut=answer.truncated or len(entries) > MAX_OF_PART,
        dropped=len(entries[:MAX_OF_PART]) - len(found),
        by_rules=whole.get("made_by") == "rules",
    )


def read_comparison(answer: Answer, numbers: Sequence[int]) -> ComparisonAnswer:
    """`numbers`: of the requirements that the model was shown; what names another one is left out. Raises
    LLMBadOutput."""
    entries, _ = _entries(answer, CONTRADICTIONS)
    known, seen = set(numbers), set()
    found: list[FoundContradiction] = []
    for entry in entries[:MAX_PAIRS]:
        first, second = (_number(entry.get(name)) for name in ("first", "second"))
        reason = _text(entry.get("reason"), MAX_ITEM)
        if first == second or not reason or not {first, second} <= known:
            continue
        pair = frozenset((first, second))
        if pair not in seen:
            seen.add(pair)
            found.append(
                FoundContradiction(first=min(first, second), second=max(first, second), reason=reason)
            )
    return ComparisonAnswer(contradictions=found)


def _entries(answer: Answer, key: str) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """The objects of the list that was asked for, and the object that has the list."""
    text = answer.text
    whole = find_object(text, key)
    listed = whole[key] if whole else find_list(text)
    if isinstance(listed, Mapping):  # {"R1": {...}}, or one requirement without a list
        listed = list(listed.values()) if all(isinstance(one, dict) for one in listed.values()) else [listed]
    if isinstance(listed, list):
        return [entry for entry in listed if isinstance(entry, dict)], whole or {}
    if answer.truncated:
        return list(_whole_entries(text, key)), {}
    form = json.dumps({key: []})
    raise LLMBadOutput(
        f"the answer has no list of {key}",
        for_model=f"Answer with one JSON object of the form {form} and nothing else.",
    )


def _whole_entries(text: str, key: str) -> Iterator[dict[str, Any]]:
    """Those before the place where a text was cut."""
    at = text.find("[", max(0, text.find(f'"{key}"')))
    while 0 <= at < len(text) and (at := text.find("{", at)) >= 0:
        try:
            entry, at = read_value(text, at)
        except NotJson:
            return
        if isinstance(entry, dict):
            yield entry


def _requirement(entry: Mapping[str, Any]) -> FoundRequirement | None:
    statement = _text(
        _first(entry, "statement", "requirement", "description", "text", "title"), MAX_STATEMENT
    )
    if not statement:
        return None
    quote = entry.get("quote", entry.get("source"))
    return FoundRequirement(
        type=_type(entry.get("type")),
        statement=statement,
        quote=_text(quote.get("text") if isinstance(quote, Mapping) else quote, MAX_STATEMENT, lines=True),
        acceptance_criteria=_texts(entry.get("acceptance_criteria")),
        open_questions=_texts(entry.get("open_questions")),
        test_points=_texts(entry.get("test_points")),
    )


def _first(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name)), None)


def _type(value: Any) -> RequirementType:
    text = str(value or "").casefold().replace("-", "_")
    if any(word in text for word in _CONSTRAINTS):
        return RequirementType.CONSTRAINT
    if any(word in text for word in _NON_FUNCTIONAL):
        return RequirementType.NON_FUNCTIONAL
    return RequirementType.FUNCTIONAL


def _texts(value: Any) -> list[str]:
    """A list of texts; a single text, or objects with one, are understood, too."""
    values = value if isinstance(value, list) else [value]
    texts = [_text(_only_text(each), MAX_ITEM) for each in values[: 4 * MAX_ITEMS]]
    return list(dict.fromkeys(text for text in texts if text))[:MAX_ITEMS]


def _only_text(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return ": ".join(str(part) for part in value.values() if isinstance(part, str | int | float))


def _text(value: Any, longest: int, *, lines: bool = False) -> str:
    """One line, unless lines are kept."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = _UNSTORABLE.sub("", str(value))
    return (text.strip() if lines else " ".join(text.split()))[:longest]


def _number(value: Any) -> int:
    """3, "3", "R3" and "R3-1a2b3c"; 0 for anything else."""
    found = re.match(r"\s*R?(\d{1,6})(?!\d)", str(value), re.IGNORECASE)
    return int(found[1]) if found else 0
