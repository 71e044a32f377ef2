"""Text of others on a terminal."""

from __future__ import annotations

import json
from typing import Any


def printable(text: str) -> str:
    """Without what would steer the terminal: parts of it were written by a model, or by another server."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def as_json(document: Any) -> str:
    """One line. What is not printable stands there escaped: JSON lets 8-bit control characters through, and
    to a terminal one of them (U+009B) begins a command."""
    text = json.dumps(document, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
