"""Text of others on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without what would steer the terminal: parts of it were written by a model, or by another server."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
