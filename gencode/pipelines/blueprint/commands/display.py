"""How events of these tasks are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay
from gencode.cli.output import counted

Data = Mapping[str, Any]


def _element(data: Data) -> str:
    label = f" ({data['label']})" if data["label"] and data["label"] != data["name"] else ""
    parts = [
        counted(data[name], name.removesuffix("s"))
        for name in ("fields", "relations", "steps")
        if name in data
    ]
    return f"{INDENT}{data['kind']} {data['name']}{label}{': ' if parts else ''}{', '.join(parts)}"


def _group(data: Data) -> str:
    missing = data.get("missing") or []
    if not missing:
        return ""
    reason = data.get("message") or "the answer lacks them"
    return f"{INDENT}not described: {', '.join(missing)} ({reason})"


def _findings(data: Data) -> str:
    return f"{INDENT}{counted(data['errors'], 'error')}, {counted(data['warnings'], 'warning')}"


def _repaired(data: Data) -> str:
    if "code" in data:
        return f"{INDENT}{data['element']} was not repaired: {data['message']}"
    return f"{INDENT}{counted(data['count'], 'error')} mended"


def _stored(data: Data) -> str:
    what = f"proposal {data['proposal_id']} for" if data.get("proposal_id") else "draft"
    return f"{INDENT}{what} {data['blueprint_id']}"


DISPLAY = KindDisplay(
    lines={
        "collected": lambda data: f"{INDENT}{counted(data['characters'], 'character')}",
        "outline": lambda data: f"{INDENT}{counted(data['count'], 'element')} outlined",
        "element": _element,
        "group": _group,
        "findings": _findings,
        "repaired": _repaired,
        "stored": _stored,
    },
    stages={
        "collecting": "reading the requirements",
        "outlining": "outlining the application",
        "detailing": "describing its parts",
        "repairing": "checking and mending",
        "delivering": "storing the blueprint",
    },
    fields=("blueprint_id", "proposal_id", "entity_count", "page_count", "error_count", "model"),
)
