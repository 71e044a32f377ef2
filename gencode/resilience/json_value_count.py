"""Counts the values of a JSON text without parsing it."""

from __future__ import annotations

import re

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Also one that does not end, so that no byte is looked at twice."""


def has_more_values(text: bytes, limit: int) -> bool:
    """Whether a JSON text has more values than `limit`. Counts what separates and opens values, first with
    strings (an upper limit), then without them."""
    return _separators(text) > limit and _separators(without_strings(text)) > limit


def without_strings(text: bytes) -> bytes:
    return _STRING.sub(b"", text)


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
