"""A request body with one file: a form in multipart/form-data, as `curl -F file=@a.md` and browsers send it.

    UPLOAD = FileBody(model=UploadFields)
    ...
    async with UPLOAD.receive(request, max_bytes, check_name) as form:
        form.file.name, await form.file.content.read(), form.fields  # form.fields: an UploadFields

The body is parsed as it arrives: the file's name is checked before its content is read, and its content goes
to a temporary file. An operation with such a body may be sent more than MAX_BODY_BYTES; see
`gencode.http.body_limits`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from anyio import SpooledTemporaryFile
from pydantic import BaseModel
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from gencode.domain.errors import BodyTooLarge, GencodeError, Invalid, Malformed
from gencode.domain.phrase import Phrase
from gencode.http.body_limits import file_too_large
from gencode.http.body_specs import JSON_ERRORS, Body, require_media_type
from gencode.http.parameter_types import JsonSchema, require_declared
from gencode.http.strict_json import validate

M = TypeVar("M", bound=BaseModel)
FILE = "file"
"""The name of the part with the file."""
MAX_PARTS = 16
MAX_TEXT = 16 * 1024
"""Bytes of all other fields."""
IN_MEMORY = 2**20
"""Bytes of a file above which it is on the disk while it is received."""

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each byte after a form's end


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedFile:
    """name        as the client sent it: it may have folders, control characters, or be empty
    media_type  that the client named; "" for none
    size        bytes
    content     at its start
    """

    name: str
    media_type: str
    size: int
    content: SpooledTemporaryFile[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileForm(Generic[M]):
    """`fields`: the other fields of the form."""

    file: ReceivedFile
    fields: M


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FileBody(Body, Generic[M]):
    """One file in the field `file`, and the texts of a model."""

    model: type[M]
    media_type: str = "multipart/form-data"
    errors: tuple[type[GencodeError], ...] = JSON_ERRORS
    is_file: bool = True

    @asynccontextmanager
    async def receive(
        self, request: Request, max_bytes: int, check_name: Callable[[str], None]
    ) -> AsyncIterator[FileForm[M]]:
        """The form; its file exists until the block ends.

        max_bytes   of the file
        check_name  raises RequestError for the name of a file that is not accepted

        Raises UnsupportedMedia, Malformed, BodyTooLarge, Invalid.
        """
        require_declared(request, self)
        require_media_type(request, self)
        async with SpooledTemporaryFile(max_size=IN_MEMORY) as content:
            parts = await _Parts(request.headers["content-type"], check_name).read(
                request, content, max_bytes
            )
            await content.seek(0)
            fields = validate(self.model, {**parts.texts}, {})
            file = ReceivedFile(
                name=parts.name or "", media_type=parts.media_type, size=parts.size, content=content
            )
            yield FileForm(file=file, fields=fields)

    def content_schema(self) -> JsonSchema:
        """The model's fields are in line: a form has no references."""
        schema = self.model.model_json_schema()
        file = {"type": "string", "format": "binary", "description": "With its name"}
        return {
            "type": "object",
            "properties": {FILE: file, **schema.get("properties", {})},
            "required": [FILE, *schema.get("required", ())],
            "additionalProperties": False,
        }


@dataclass(slots=True)
class _Part:
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class _Parts:
    """The parts of one form, from the callbacks of the parser."""

    def __init__(self, content_type: str, check_name: Callable[[str], None]) -> None:
        """Raises Malformed."""
        _, options = parse_options_header(content_type)
        if not (boundary := options.get(b"boundary")):
            raise Malformed("the Content-Type of the form names no boundary")
        self.texts: dict[str, str] = {}
        self.name: str | None = None
        self.media_type = ""
        self.size = 0
        self._check_name = check_name
        self._header, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._part = _Part()
        self._pieces: list[bytes] = []
        self._parts, self._text_bytes, self._has_ended = 0, 0, False
        callbacks: Any = {
            name: getattr(self, f"_{name}")
            for name in (
                *("on_part_begin", "on_part_data", "on_part_end", "on_header_field", "on_header_value"),
                *("on_header_end", "on_headers_finished", "on_end"),
            )
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise Malformed(str(error)) from None

    async def read(self, request: Request, content: SpooledTemporaryFile[bytes], max_bytes: int) -> _Parts:
        """Raises Malformed, BodyTooLarge, Invalid, and what the check of the name raises."""
        async for chunk in request.stream():
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise Malformed(
                    Phrase("the body is not a form in multipart/form-data: {error}", error=error)
                ) from None
            for piece in self._pieces:
                self.size += len(piece)
                if self.size > max_bytes:
                    raise BodyTooLarge(file_too_large(max_bytes))
                await content.write(piece)
            self._pieces.clear()
        if not self._has_ended:
            raise Malformed("the form ended before its last boundary")
        if self.name is None:
            raise Invalid.of(FILE, "missing", "the form needs a file in the field `file`")
        return self

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Malformed(Phrase("the form has more than {max_parts} fields", max_parts=MAX_PARTS))
        self._headers, self._part = {}, _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise Malformed("a part of the form has no name")
        name = _decoded(options[b"name"])
        self._part = _Part(name=name, is_file=name == FILE and b"filename" in options)
        if (name == FILE and self.name is not None) or name in self.texts:
            raise Malformed(Phrase("the field {name!r} stands twice in the form", name=name[:100]))
        if self._part.is_file:
            self.name = _decoded(options[b"filename"])
            self.media_type = _decoded(self._headers.get(b"content-type", b"")).partition(";")[0].strip()
            self._check_name(self.name)
        elif name == FILE:
            raise Invalid.of(FILE, "missing", "the field `file` has no file: send its name, too")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self._pieces.append(data[start:end])
            return
        self._text_bytes += end - start
        if self._text_bytes > MAX_TEXT:
            raise Invalid.of(
                "body",
                "too_long",
                Phrase("the texts of the form exceed {max_text} bytes", max_text=MAX_TEXT),
            )
        self._part.data += data[start:end]

    def _on_part_end(self) -> None:
        if not self._part.is_file:
            try:
                self.texts[self._part.name] = self._part.data.decode()
            except UnicodeDecodeError:
                raise Malformed("a text of the form is not UTF-8") from None

    def _on_end(self) -> None:
        self._has_ended = True


def _decoded(value: bytes) -> str:
    """A name, in UTF-8 or, as older programs for Chinese send it, in GB 18030."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")
