"""Reads the JSON objects of a response body: an event stream, bare objects in lines, or one JSON document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gencode.llm.errors import LLMBadOutput, ProviderError
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.event_json import json_objects, json_value

JsonObject = dict[str, Any]

_QUOTED_BYTES = 1000
_FRAMES = re.compile(rb"(?:data:\s*)+")
"""Of a gateway that has framed the lines of another one."""
_STATUS = re.compile(rb"(?<![0-9])[45][0-9]{2}(?![0-9])")
_FIELDS = (b"event", b"id", b"retry", b"data")
_DONE = frozenset((b"[DONE]", b'"[DONE]"', b"[done]", b"DONE"))
_PADDING = b" \t\0"
"""Around a line, or alone in one: signs of life."""
_OTHER_FIELD = re.compile(rb"[A-Za-z][\w-]*(?::|\Z)")


class ServerEvents:
    """Takes the lines of a body and returns its objects.

    The first bytes decide what the body is, whatever its content type says: `{` or `[` begins JSON, anything
    else must be a line of an event stream. In an event stream:

    - Events called "message", and those without a name, are objects. An event called "error" becomes
      `{"error": {...}}`; a comment in it may name its HTTP status. Events of other names keep the connection
      alive, unless they have `choices`.
    - A data line that is an object is an event, also without the blank line that should follow; other data
      lines are joined until the blank line.

    done      [DONE] has arrived; what follows it is ignored
    document  the body consists of one JSON document, and nothing else
    failure   why the body cannot be read any further: LLMBadOutput, or LLMBadRequest for a web page
    """

    def __init__(self, errors: ErrorMapper) -> None:
        self._errors = errors
        self._objects: list[JsonObject] = []
        self._document: bytearray | None = None
        self._bare_objects = 0
        self._understood = 0
        self._name = b""
        self._status = 0
        self._pending = bytearray()
        self.done = False
        self.failure: ProviderError | None = None

    @property
    def document(self) -> bool:
        return self._document is not None or self._bare_objects == self._understood == 1

    def feed(self, lines: Sequence[bytes]) -> list[JsonObject]:
        """The objects that these lines complete, up to [DONE] or a failure."""
        self._objects = []
        try:
            for line in lines:
                if self._document is not None:
                    self._document += b"\n" + line
                elif line.startswith(b"data:"):
                    self._data(line[5:].strip())
                elif not line and not self._pending:
                    self._name, self._status = b"", 0
                else:
                    self._other_line(line)
                if self.done:
                    break
        except ProviderError as error:
            self.failure = error
        return self._objects

    def close(self, lines: Sequence[bytes]) -> list[JsonObject]:
        """The objects that the last line and the end of the body complete."""
        objects = self.feed(lines)
        try:
            if self._document is not None:
                self._end_document(bytes(self._document))
            elif not self.done and not self.failure:
                self._dispatch()
        except ProviderError as error:
            self.failure = error
        return objects

    def _data(self, data: bytes) -> None:
        if frames := _FRAMES.match(data):
            data = data[frames.end() :].strip()
        if data in _DONE:
            self.done = True
            return
        self._understood += 1
        if not data:
            return
        event = None if self._pending else json_value(data)
        if self._name and self._name != b"message":
            self._named_event(event, data)
        elif isinstance(event, dict):
            self._objects.append(event)
        elif not self._pending and (events := json_objects(data.removesuffix(b"data: [DONE]"))):
            self._objects += events
            self.done = data.endswith(b"data: [DONE]")
        elif self._pending or data.startswith(b"{"):
            self._pending += b"\n" + data
        else:
            raise self._not_an_object(data)

    def _named_event(self, event: object, data: bytes) -> None:
        if self._name == b"error":
            self._objects.append(self._error_event(event, data))
        elif isinstance(event, dict) and event.get("choices"):
            self._objects.append(event)

    def _error_event(self, event: object, data: bytes) -> JsonObject:
        found = event.get("error", event) if isinstance(event, dict) else data.decode("utf-8", "replace")
        if not isinstance(found, dict):
            found = {"message": str(found)}
        status = {"status": self._status} if self._status and "status" not in found else {}
        return {"error": {"message": data.decode("utf-8", "replace"), **found, **status}}

    def _other_line(self, line: bytes) -> None:
        """A blank line, a comment, another field, or JSON without `data:`."""
        bare = line.strip(_PADDING)
        if not bare:
            self._dispatch()
        elif bare.startswith(b"data:"):
            self._data(bare[5:].strip())
        elif line.startswith(b":"):
            self._comment(line)
        elif line.lstrip().startswith((b"{", b"[")):
            self._bare_json(line.strip())
        else:
            self._field(line)

    def _comment(self, line: bytes) -> None:
        status = _STATUS.search(line)
        self._status = int(status[0]) if status else self._status

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"event":
            self._name = value.strip().lower()
        known = name in _FIELDS or (self._understood and _OTHER_FIELD.match(line))
        if not known:
            raise self._not_a_stream(line)
        self._understood += 1

    def _bare_json(self, line: bytes) -> None:
        if line == b"[DONE]":
            self.done = True
            return
        found = json_value(line)
        if isinstance(found, dict):
            self._objects.append(found)
            self._bare_objects += 1
            self._understood += 1
        elif not self._understood:
            self._document = bytearray(line)
        else:
            raise self._not_an_object(line)

    def _dispatch(self) -> None:
        """Handle the end of an event: its data becomes an object."""
        data, self._pending = bytes(self._pending[1:]), bytearray()
        if data:
            event = json_value(data)
            if not isinstance(event, dict):
                raise self._not_an_object(data)
            self._objects.append(event)
        self._name, self._status = b"", 0

    def _end_document(self, document: bytes) -> None:
        """Some servers put their objects into a list."""
        found = json_value(document)
        items = found if isinstance(found, list) else [found]
        objects = [item for item in items if isinstance(item, dict)]
        if not objects or len(objects) < len(items):
            raise self._not_an_object(document)
        self._objects += objects

    def _not_an_object(self, data: bytes) -> LLMBadOutput:
        return LLMBadOutput(f"The server sent an event that is not a JSON object: {self._quote(data)}")

    def _not_a_stream(self, line: bytes) -> ProviderError:
        if line.lstrip().startswith(b"<") and self._understood:
            return self._errors.unavailable(self._quote(line))
        if line.lstrip().startswith(b"<"):
            return self._errors.wrong_address(f"it answers with a web page that begins {self._quote(line)!r}")
        return LLMBadOutput(f"The server sent a line that is no event of a stream: {self._quote(line)}")

    def _quote(self, data: bytes) -> str:
        return self._errors.quote(data[:_QUOTED_BYTES].decode("utf-8", "replace"))
