"""A review as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any

from gencode.cli.output import counted

Review = Mapping[str, Any]
SEVERITIES = ("critical", "major", "minor", "info")
_OPEN = ("new", "returned", "still_there")
_TOLD_BEFORE = {
    "still_there": "told before and still there",
    "ignored": "ignored",
    "fixed": "fixed since the last review",
}
_SHOWN_PATHS = 10


def fails(review: Review, least: str | None) -> bool:
    """Whether there is an open finding that is at least so severe."""
    if least is None:
        return False
    severe = SEVERITIES[: SEVERITIES.index(least) + 1]
    return any(one["status"] in _OPEN and one["severity"] in severe for one in review["findings"])


def review_lines(review: Review) -> Iterator[str]:
    findings = review["findings"]
    for one in findings:
        if one["status"] not in _TOLD_BEFORE:
            yield from _finding(one)
    for status, said in _TOLD_BEFORE.items():
        for one in findings:
            if one["status"] == status:
                yield f"{_place(one)}: {one['severity']}: {one['title']} ({said})"
    yield _summary(review)
    for one in review["requirements"] or ():
        places = ", ".join(f"{shown['path']}:{shown['line']}" for shown in one["evidence"])
        yield f"{one['id']}: {one['status'].replace('_', ' ')}{f' ({places})' if places else ''}"
    yield from _not_reviewed(review["ledger"])


def _finding(one: Mapping[str, Any]) -> Iterator[str]:
    note = " (again)" if one["status"] == "returned" else ""
    yield f"{_place(one)}: {one['severity']}: {one['title']} [{one['category']}]{note}"
    if one["unanchored"]:
        yield f"    (no line is proven: {one['unanchored']})"
    if one["body"]:
        yield indent(str(one["body"]).strip(), "    ")
    if one["suggestion"]:
        yield indent(f"suggestion:\n{one['suggestion']['replacement']}", "    ")
    yield ""


def _place(one: Mapping[str, Any]) -> str:
    deleted = " (deleted)" if one["side"] == "old" else ""
    return f"{one['path']}:{one['line']}{deleted}" if one["line"] else str(one["path"])


def _summary(review: Review) -> str:
    counts = Counter(one["severity"] for one in review["findings"] if one["status"] in _OPEN)
    found = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    files = counted(review["stats"]["files"], "file")
    if not found and review["ledger"] and all(one["coverage"] != "reviewed" for one in review["ledger"]):
        return f"nothing was reviewed of {files}"
    left_out = review["stats"]["left_out"]
    more = f"; {left_out} more left out (--max-findings)" if left_out else ""
    return f"{found or 'nothing found'} in {files}{more}"


def _not_reviewed(ledger: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    paths: dict[str, dict[str, None]] = {}
    for line in ledger:
        if line["coverage"] != "reviewed":
            reason = "over budget" if line["coverage"] == "over_budget" else line["reason"]
            paths.setdefault(reason, {})[line["path"]] = None
    for reason, of in paths.items():
        shown = ", ".join(list(of)[:_SHOWN_PATHS])
        more = f" and {len(of) - _SHOWN_PATHS} more" if len(of) > _SHOWN_PATHS else ""
        yield f"not reviewed ({reason}): {shown}{more}"
