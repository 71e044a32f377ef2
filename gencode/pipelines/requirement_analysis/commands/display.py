"""How events of an analysis are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.output import counted

Data = Mapping[str, Any]


def _section(data: Data) -> str:
    what = f": {data['section']}" if data["section"] else ""
    outcome = (
        counted(data["requirements"], "requirement")
        if data["status"] == "analysed"
        else f"{data['status']}: {data.get('message', 'its answer was too long, and is asked for in halves')}"
    )
    return f"{INDENT}part {data['part']} of {data['of']}{what}: {outcome}"


def _requirements(data: Data) -> str:
    contradictions = counted(data["contradictions"], "contradiction")
    missing = "" if data["is_complete"] else ", some parts are missing"
    return f"{INDENT}{counted(data['requirements'], 'requirement')}, {contradictions}{missing}"


DISPLAY = KindDisplay(
    lines={
        "parsed": lambda data: f"{INDENT}{data['characters']} characters",
        "collected": lambda data: f"{INDENT}{counted(data['sections'], 'part')}",
        "section": _section,
        "requirements": _requirements,
    },
    stages={
        "reading": "reading the file",
        "collecting": "reading the document",
        "analysing": "finding requirements",
        "delivering": "storing them",
    },
    fields=("document_id", "requirement_count", "contradiction_count", "model"),
)
