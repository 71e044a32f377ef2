"""How events of a review are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay

Data = Mapping[str, Any]


def _collected(data: Data) -> str:
    before = f", {data['reviewed_before']} hunks reviewed before" if data["reviewed_before"] else ""
    left_out = f", {len(data['excluded'])} files left out" if data["excluded"] else ""
    return f"{INDENT}{data['files']} files in {data['bundles']} parts{before}{left_out}"


def _finding(data: Data) -> str:
    line = f":{data['line']}" if data["line"] else ""
    return f"{INDENT}{data['path']}{line}: {data['severity']}: {data['title']}"


def _reviewed(data: Data) -> str:
    return f"{INDENT}part {data['bundle'] + 1} of {data['of']} is reviewed: {data['findings']} findings"


def _judged(data: Data) -> str:
    return f"{INDENT}{data['findings']} findings remain"


def _posted(data: Data) -> str:
    if data["is_superseded"]:
        return f"{INDENT}a later review is on change request {data['change']}"
    counts = ", ".join(
        f"{data[name]} {said}"
        for name, said in (("created", "new"), ("changed", "changed"), ("closed", "closed"))
        if data[name]
    )
    moved = "; it has moved on since, so new findings are in the summary" if data["is_moved"] else ""
    return f"{INDENT}posted to change request {data['change']}: comments: {counts or 'as before'}{moved}"


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
