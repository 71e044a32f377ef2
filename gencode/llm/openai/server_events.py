"""Reads the JSON objects of a response body: an event stream, bare objects in lines, or one JSON document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from gencode.llm.errors import LLMBadOutput, LLMTooLarge, ProviderError
from gencode.llm.openai.error_mapping import ErrorMapper
from gencode.resilience.json_value_count import has_more_values

JsonObject = dict[str, Any]

MAX_EVENT = 8 * 2**20
"""Bytes of one event, or of an answer that is one JSON document: a file of 2 MiB, escaped, with reasoning."""
_LARGE_EVENT = 64 * 1024
_MAX_VALUES = 100_000
"""Values in one larger event. Parsing holds the interpreter lock, and a value takes up to 64 bytes."""
_QUOTED_BYTES = 1000
_DECODER = json.JSONDecoder()  # json.loads looks at its options each time
_decode: Callable[[str], object] = _DECODER.decode
_decode_first: Callable[[str], tuple[object, int]] = _DECODER.raw_decode
_STATUS = re.compile(rb"(?<![0-9])[45][0-9]{2}(?![0-9])")
_FIELDS = (b"event", b"id", b"retry", b"data")
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
        if data == b"[DONE]":
            self.done = True
            return
        self._understood += 1
        if not data:
            return
        event = None if self._pending else _json(data)
        if self._name and self._name != b"message":
            self._named_event(event, data)
        elif isinstance(event, dict):
            self._objects.append(event)
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
        if not line.strip():
            self._dispatch()
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
        found = _json(line)
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
            event = _json(data)
            if not isinstance(event, dict):
                raise self._not_an_object(data)
            self._objects.append(event)
        self._name, self._status = b"", 0

    def _end_document(self, document: bytes) -> None:
        """Some servers put their objects into a list."""
        found = _json(document)
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


def too_large() -> LLMTooLarge:
    return LLMTooLarge(
        f"The server sent an event of more than {MAX_EVENT} bytes, or with more values than an answer has. "
        "Ask for a smaller project."
    )


def _json(data: bytes) -> object:
    """The value, None for what is not JSON in UTF-8. No white space is before it. Raises LLMTooLarge."""
    if len(data) > _LARGE_EVENT and (len(data) > MAX_EVENT or has_more_values(data, _MAX_VALUES)):
        raise too_large()
    try:
        text = data.decode()
        found, end = _decode_first(text)
        return found if end == len(text) else _decode(text)
    except (ValueError, RecursionError):
        return None
