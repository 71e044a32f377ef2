"""How events of an answer are shown by commands for tasks of every kind, such as `gencode watch`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.cli.display.kind_display import INDENT, KindDisplay

Data = Mapping[str, Any]


def _context(data: Data) -> str:
    left_out = f", {data['left_out']} are left out" if data["left_out"] else ""
    return f"{INDENT}{data['messages']} earlier messages{left_out}, {data['sources']} sources"


def _text(data: Data) -> str:
    return f"{INDENT}{data['offset'] + len(data['text'])} characters are written"


def _citations(data: Data) -> str:
    verified = sum(bool(one["is_verified"]) for one in data["citations"])
    return f"{INDENT}{verified} of {len(data['citations'])} quotes are verified"


DISPLAY = KindDisplay(
    lines={"context": _context, "text": _text, "citations": _citations},
    stages={
        "collecting": "collecting messages",
        "answering": "answering",
        "delivering": "storing the answer",
    },
    fields=("model", "conversation_id"),
)
