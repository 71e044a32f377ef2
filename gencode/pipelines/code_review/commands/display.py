"""How events of a review are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.output import counted

Data = Mapping[str, Any]


def _collected(data: Data) -> str:
    before = (
        f", {counted(data['reviewed_before'], 'hunk')} reviewed before" if data["reviewed_before"] else ""
    )
    left_out = f", {counted(len(data['excluded']), 'file')} left out" if data["excluded"] else ""
    files, parts = counted(data["files"], "file"), counted(data["bundles"], "part")
    return f"{INDENT}{files} in {parts}{before}{left_out}"


def _finding(data: Data) -> str:
    line = f":{data['line']}" if data["line"] else ""
    return f"{INDENT}{data['path']}{line}: {data['severity']}: {data['title']}"


def _reviewed(data: Data) -> str:
    found = counted(data["findings"], "finding")
    return f"{INDENT}part {data['bundle'] + 1} of {data['of']} is reviewed: {found}"


def _judged(data: Data) -> str:
    verb = "remains" if data["findings"] == 1 else "remain"
    return f"{INDENT}{counted(data['findings'], 'finding')} {verb}"


def _posted(data: Data) -> str:
    if data["is_superseded"]:
        return f"{INDENT}a later review is on change request {data['change']}"
    counts = ", ".join(
        f"{data[name]} {said}"
        for name, said in (("created", "new"), ("changed", "changed"), ("closed", "closed"))
        if data[name]
    )
    moved = "; it has moved on since, so new findings are in the summary" if data["is_moved"] else ""
    unresolved = f"; {data['unresolved']}" if data.get("unresolved") else ""
    said = f"comments: {counts or 'as before'}{moved}{unresolved}"
    return f"{INDENT}posted to change request {data['change']}: {said}"


DISPLAY = KindDisplay(
    lines={
        "collected": _collected,
        "finding": _finding,
        "reviewed": _reviewed,
        "judged": _judged,
        "posted": _posted,
    },
    stages={
        "collecting": "reading the diff",
        "reviewing": "reviewing",
        "judging": "merging and ranking",
        "delivering": "writing the result",
        "posting": "posting the review",
    },
    fields=("subject", "model"),
)
