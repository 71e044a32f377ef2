"""Reads uploaded files in limited children."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from gencode.documents.document import MAX_CHARACTERS, Document
from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentError,
    DocumentKindError,
    DocumentReaderFailed,
    DocumentTooLarge,
    DocumentUnreadable,
    DocumentWithoutText,
    OldWordFormat,
)
from gencode.documents.external_readers import read_externally
from gencode.documents.kind import kind_of_name
from gencode.limited_child.pool import ChildPool
from gencode.limited_child.process import Cause, ChildFailed
from gencode.limited_child.protocol import ChildRequest

log = structlog.get_logger(__name__)

CHILD_PROGRAM = "gencode.documents.child_main"
MAX_BYTES = 64 * 2**20
DEFAULT_CHARACTERS = 1_000_000
_DOCUMENT = TypeAdapter(Document)
_ERRORS: Mapping[str, type[DocumentError]] = {
    error.__name__: error
    for error in (
        DocumentEncrypted,
        DocumentKindError,
        DocumentTooLarge,
        DocumentUnreadable,
        DocumentWithoutText,
        OldWordFormat,
    )
}
_MESSAGES: Mapping[Cause, tuple[type[DocumentError], str]] = {
    Cause.TIME: (DocumentTooLarge, "The document takes too long to read: split it, or save it anew"),
    Cause.MEMORY: (DocumentTooLarge, "The document needs too much memory to read: split it, or save it anew"),
    Cause.CRASH: (DocumentUnreadable, "The document is damaged: its reader crashed"),
    Cause.ERROR: (DocumentUnreadable, "The document is damaged, or of a form that its reader does not know"),
}


class DocumentExtractor:
    """Used as an async context manager, at whose end its processes end. Two files are read at a time."""

    def __init__(self) -> None:
        self._pool = ChildPool(CHILD_PROGRAM, reused=False)

    async def __aenter__(self) -> DocumentExtractor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.stop()

    async def extract(self, name: str, data: bytes, *, max_characters: int = DEFAULT_CHARACTERS) -> Document:
        """The same for the same file, also in another process.

        name            of the file; its suffix must agree with the content, the rest has no effect
        max_characters  of the whole text, at most MAX_CHARACTERS; a longer document is an error, never cut

        Raises DocumentError, or DocumentReaderFailed if another attempt may succeed.
        """
        kind_of_name(name)
        if len(data) > MAX_BYTES:
            raise DocumentTooLarge(f"The file is larger than {MAX_BYTES // 2**20} MB")
        arguments = {"name": name[-200:], "max_characters": min(max_characters, MAX_CHARACTERS)}
        request = ChildRequest(function="read", texts={}, arguments=arguments, data=data)
        try:
            return await self._read(request)
        except OldWordFormat:
            document = await read_externally(data)
            if not document:
                raise
            return document

    async def _read(self, request: ChildRequest) -> Document:
        try:
            async with self._pool.lend(len(request.data)) as child:
                return _document(await child.call(request))
        except ChildFailed as failure:
            log.warning("a document was not read", cause=failure.cause, reason=failure.reason)
            if failure.cause is Cause.OTHER:
                raise DocumentReaderFailed(
                    f"The process that reads documents failed ({failure.reason}). Upload the file again"
                ) from None
            error, message = _MESSAGES[failure.cause]
            raise error(message) from None


def _document(answer: Any) -> Document:
    """Raises DocumentError, DocumentReaderFailed, ChildFailed."""
    try:
        if "document" in answer:
            return _DOCUMENT.validate_python(answer["document"])
        name, message = str(answer["error"]), str(answer["message"])
    except (ValidationError, TypeError, KeyError):
        raise ChildFailed("its answer is malformed") from None
    if name in _ERRORS:
        raise _ERRORS[name](message)
    raise DocumentReaderFailed(
        f"The library {message} is not installed, which reads this kind of file: install the extra workspace"
    )
