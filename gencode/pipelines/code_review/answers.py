"""Reads the answers of models: leniently what is a hint, while `placing` is strict about lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from gencode.codegen.answer_checks import check_json_whole
from gencode.codegen.lenient_json import find_list, find_objects
from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer
from gencode.pipelines.code_review.findings import Category, Record, Severity
from gencode.pipelines.code_review.requirements import Met

MAX_CLAIMS = 60
"""Of one answer."""
MAX_TITLE, MAX_BODY, MAX_QUOTE, MAX_SUGGESTION = 300, 8000, 2000, 20_000
_EMPTY = re.compile(r"\W*\[\s*\]\W*")
_FOR_MODEL = (
    'answer with one JSON object {"findings": [...]} and nothing else; without faults {"findings": []}'
)
_SEVERITIES = {
    **{severity.value: severity for severity in Severity},
    **dict.fromkeys(("blocker", "fatal", "严重", "致命"), Severity.CRITICAL),
    **dict.fromkeys(("high", "error", "important", "重要", "高"), Severity.MAJOR),
    **dict.fromkeys(("medium", "moderate", "low", "warning", "warn", "次要", "中", "低"), Severity.MINOR),
    **dict.fromkeys(("nit", "note", "suggestion", "trivial", "提示", "建议"), Severity.INFO),
}
_CATEGORIES = {
    **{category.value: category for category in Category},
    **dict.fromkeys(("correctness", "logic", "error", "缺陷"), Category.BUG),
    **dict.fromkeys(("vulnerability", "安全"), Category.SECURITY),
    **dict.fromkeys(("perf", "efficiency", "性能"), Category.PERFORMANCE),
    **dict.fromkeys(
        ("style", "readability", "design", "refactor", "docs", "可维护性"), Category.MAINTAINABILITY
    ),
    **dict.fromkeys(("tests", "testing", "测试"), Category.TEST),
    **dict.fromkeys(("requirements", "spec", "需求"), Category.REQUIREMENT),
}
_STATUSES: Mapping[str, Met | None] = {
    **{status.value: status for status in Met},
    **dict.fromkeys(("partial", "partially", "partially met", "部分满足"), Met.PARTLY),
    **dict.fromkeys(("not met", "not_met", "unmet", "violated", "缺失", "未满足"), Met.MISSING),
    **dict.fromkeys(("fulfilled", "satisfied", "满足"), Met.MET),
}
MAX_EVIDENCE_CLAIMS = 200
T = TypeVar("T")


class ClaimedFinding(Record):
    """What a model says, before its line is proven. `end_anchor`: "" for a single line."""

    path: str
    anchor: str
    end_anchor: str = ""
    quote: str = ""
    severity: Severity
    category: Category
    title: str
    body: str = ""
    suggestion: str | None = None
    confidence: float = 0.5


class ClaimedEvidence(Record):
    """What a model says about a requirement, before its line is proven."""

    requirement: str
    status: Met
    path: str
    anchor: str
    quote: str = ""
    note: str = ""


class BundleAnswer(Record):
    """unreadable    entries that are no findings
    requirements  None: the answer says nothing about requirements
    """

    findings: tuple[ClaimedFinding, ...]
    unreadable: int = 0
    requirements: tuple[ClaimedEvidence, ...] | None = None


def parse_review(answer: Answer, max_tokens: int) -> BundleAnswer:
    """Raises LLMBadOutput for an answer without a list of findings, LLMTruncated for one that was cut."""
    check_json_whole("the review", answer, max_tokens)
    entries = _entries(answer.text)
    if entries is None:
        raise LLMBadOutput("the model's answer has no list of findings", for_model=_FOR_MODEL)
    claims = [claim for entry in entries[:MAX_CLAIMS] if (claim := _claim(entry))]
    return BundleAnswer(
        findings=tuple(claims),
        unreadable=len(entries) - len(claims),
        requirements=_requirements(answer.text),
    )


def _entries(text: str) -> list[Any] | None:
    for found in find_objects(text, "findings"):
        if isinstance(found["findings"], list):
            return found["findings"]
    if (entries := find_list(text)) is not None:
        return entries
    return [] if _EMPTY.fullmatch(text.replace("json", "")) else None


def _requirements(text: str) -> tuple[ClaimedEvidence, ...] | None:
    found = next(find_objects(text, "requirements"), None)
    entries = found["requirements"] if found else None
    if not isinstance(entries, list):
        return None
    return tuple(filter(None, map(_evidence, entries[:MAX_EVIDENCE_CLAIMS])))


def _evidence(entry: Any) -> ClaimedEvidence | None:
    if not isinstance(entry, Mapping):
        return None
    status = _word(entry, _STATUSES, None, "status", "state")
    name = _text(entry, 100, "id", "requirement")
    if status is None or not name:
        return None
    return ClaimedEvidence(
        requirement=name.strip(),
        status=status,
        path=_text(entry, 5000, "path", "file", "filename"),
        anchor=_text(entry, 50, "anchor", "line"),
        quote=_text(entry, MAX_QUOTE, "quote", "code"),
        note=" ".join(_text(entry, MAX_TITLE * 3, "note", "reason", "comment").split()),
    )


def _claim(entry: Any) -> ClaimedFinding | None:
    """None for an entry that says nothing."""
    if not isinstance(entry, Mapping):
        return None
    body = _text(entry, MAX_BODY, "body", "description", "message", "detail", "explanation")
    title = _text(entry, MAX_TITLE, "title", "summary", "name") or body.strip().partition("\n")[0][:MAX_TITLE]
    if not title.strip():
        return None
    return ClaimedFinding(
        path=_text(entry, 5000, "path", "file", "filename"),
        anchor=_text(entry, 50, "anchor", "line", "start_anchor", "start_line", "line_number"),
        end_anchor=_text(entry, 50, "end_anchor", "end_line"),
        quote=_text(entry, MAX_QUOTE, "quote", "code", "quoted"),
        severity=_word(entry, _SEVERITIES, Severity.MINOR, "severity", "level", "priority"),
        category=_word(entry, _CATEGORIES, Category.BUG, "category", "type", "kind"),
        title=" ".join(title.split()),
        body=body.strip(),
        suggestion=_suggestion(entry),
        confidence=_confidence(entry.get("confidence")),
    )


def _text(entry: Mapping[str, Any], most: int, *names: str) -> str:
    """The first of these fields that is a text or a number."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return _storable(str(value)[:most])
    return ""


def _storable(text: str) -> str:
    """Without lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _word(entry: Mapping[str, Any], known: Mapping[str, T], default: T, *names: str) -> T:
    return known.get(_text(entry, 50, *names).strip().lower(), default)


def _suggestion(entry: Mapping[str, Any]) -> str | None:
    """A blank one is none: many models fill every field."""
    for name in ("suggestion", "replacement", "suggested_code"):
        value = entry.get(name)
        if isinstance(value, str) and value.strip() and len(value) <= MAX_SUGGESTION:
            return _without_fence(_storable(value))
    return None


_FENCE = re.compile(r"\s*```[^\n]*\n(.*?)\n?```\s*", re.DOTALL)


def _without_fence(text: str) -> str:
    return found[1] if (found := _FENCE.fullmatch(text)) else text


def _confidence(value: Any) -> float:
    """0.8 and "0.8" and 80 (percent)."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.5
    number = number / 100 if 1 < number <= 100 else number
    return number if 0 <= number <= 1 else 0.5
