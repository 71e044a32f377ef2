"""Reads the events of a stream of the Messages API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gencode.llm.errors import LLMBadOutput, ProviderError
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.event_json import MAX_EVENT, json_value, too_large
from gencode.llm.streaming.line_splitter import LineSplitter

JsonObject = dict[str, Any]
_FIELDS = (b"event:", b"id:", b"retry:", b":")
_QUOTED_BYTES = 1000


class MessageEvents:
    """bytes -> lines -> JSON objects. The name of an event is also in its object, as `type`."""

    def __init__(self, errors: ErrorMapper) -> None:
        self._errors = errors
        self._lines = LineSplitter()
        self._has_begun = False

    def feed(self, block: bytes) -> Iterator[JsonObject]:
        """The objects that these bytes complete. Raises ProviderError where one cannot be read."""
        yield from self._objects(self._lines.feed(block))
        if self._lines.pending > MAX_EVENT:
            raise too_large()

    def close(self) -> Iterator[JsonObject]:
        """The object of the last line, if it has no end."""
        yield from self._objects(self._lines.close())

    def _objects(self, lines: Sequence[bytes]) -> Iterator[JsonObject]:
        for line in lines:
            if line.startswith(b"data:"):
                self._has_begun = True
                yield self._object(line[5:].strip())
            elif line.startswith(_FIELDS):
                self._has_begun = True
            elif line.strip():
                raise self._not_a_stream(line)

    def _object(self, data: bytes) -> JsonObject:
        found = json_value(data)
        if not isinstance(found, dict):
            raise LLMBadOutput(f"The server sent an event that is not a JSON object: {self._quote(data)}")
        return found

    def _not_a_stream(self, line: bytes) -> ProviderError:
        if not self._has_begun:
            return self._errors.wrong_address(f"its answer begins {self._quote(line)!r}")
        return LLMBadOutput(f"The server sent a line that is no event of a stream: {self._quote(line)}")

    def _quote(self, data: bytes) -> str:
        return self._errors.quote(data[:_QUOTED_BYTES].decode("utf-8", "replace"))
