"""Live messages that fit into a notification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gencode.domain.event import encode_delta


def fitting(data: Mapping[str, Any], size: int) -> Iterator[bytes]:
    """The data as encoded live messages of at most `size` bytes.

    A delta whose text is longer, `{"text", "offset", ...}`, becomes several, each with its offset. Other data
    that is too long is left out: live messages may be lost.
    """
    message = encode_delta(data)
    if len(message) <= size:
        yield message
        return
    text, offset = data.get("text"), data.get("offset")
    if not (isinstance(text, str) and isinstance(offset, int)):
        return
    if len(encode_delta({**data, "text": ""})) > size // 2:
        return
    half = len(text) // 2
    yield from fitting({**data, "text": text[:half]}, size)
    yield from fitting({**data, "text": text[half:], "offset": offset + half}, size)
