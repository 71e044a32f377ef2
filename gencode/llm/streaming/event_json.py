"""Parses the JSON of one event within bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gencode.llm.errors import LLMTooLarge
from gencode.resilience.json_value_count import has_more_values

MAX_EVENT = 8 * 2**20
"""Bytes of one event, or of an answer that is one JSON document: a file of 2 MiB, escaped, with reasoning."""
_LARGE_EVENT = 64 * 1024
_MAX_VALUES = 100_000
"""Values in one larger event. Parsing holds the interpreter lock, and a value takes up to 64 bytes."""
_DECODER = json.JSONDecoder()  # json.loads looks at its options each time
_decode: Callable[[str], object] = _DECODER.decode
_decode_first: Callable[[str], tuple[object, int]] = _DECODER.raw_decode
_decode_from: Callable[[str, int], tuple[object, int]] = _DECODER.raw_decode
_NEXT_OBJECT = re.compile(r"\s*+\{")


def json_value(data: bytes) -> object:
    """The value, None for what is not JSON in UTF-8. No white space is before it. Raises LLMTooLarge."""
    if len(data) > _LARGE_EVENT and (len(data) > MAX_EVENT or has_more_values(data, _MAX_VALUES)):
        raise too_large()
    try:
        text = data.decode()
        found, end = _decode_first(text)
        return found if end == len(text) else _decode(text)
    except (ValueError, RecursionError):
        return None


def json_objects(data: bytes) -> list[dict[str, object]]:
    """The objects that follow each other without a separator; empty for anything else."""
    objects: list[dict[str, object]] = []
    if len(data) > _LARGE_EVENT and (len(data) > MAX_EVENT or has_more_values(data, _MAX_VALUES)):
        raise too_large()
    try:
        text, at = data.decode(), 0
        while found := _NEXT_OBJECT.match(text, at):
            value, at = _decode_from(text, found.end() - 1)
            if not isinstance(value, dict):
                return []
            objects.append(value)
    except (ValueError, RecursionError):
        return []
    return [] if text[at:].strip() else objects


def too_large() -> LLMTooLarge:
    return LLMTooLarge(
        f"The server sent an event of more than {MAX_EVENT} bytes, or with more values than an answer has. "
        "Ask for a smaller project."
    )
