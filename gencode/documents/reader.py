"""Reads a file of any kind. Runs in the child; each reader is imported when its first file comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from gencode.documents.document import MAX_SECTIONS, Document, DocumentKind
from gencode.documents.errors import DocumentTooLarge, DocumentWithoutText
from gencode.documents.kind import OLE_MAGIC, check_content, kind_of_name

_READERS: Mapping[DocumentKind, tuple[str, str]] = {
    DocumentKind.PDF: ("gencode.documents.pdf_text", "read_pdf"),
    DocumentKind.DOC: ("gencode.documents.binary_word", "read_binary_word"),
    DocumentKind.DOCX: ("gencode.documents.word_text", "read_word"),
}
"""Module and function by kind; the others are texts."""


def read_document(name: str, data: bytes, max_characters: int) -> Document:
    """Raises DocumentError, and ModuleNotFoundError if a library is not installed."""
    kind = kind_of_name(name)
    if not data:
        raise DocumentWithoutText("The file is empty")
    check_content(kind, data)
    document = _reader(kind, data)(data)
    if document.counts.characters > max_characters:
        raise DocumentTooLarge(
            f"The document has {document.counts.characters} characters, which is more than {max_characters}: "
            "split it and upload its parts"
        )
    if len(document.sections) > MAX_SECTIONS:
        raise DocumentTooLarge(f"The document has more than {MAX_SECTIONS} headings: split it")
    return document


def _reader(kind: DocumentKind, data: bytes) -> Callable[[bytes], Document]:
    if kind is DocumentKind.DOCX and data.startswith(OLE_MAGIC):
        return _imported("gencode.documents.binary_word", "read_package_in_ole")
    if kind in _READERS:
        return _imported(*_READERS[kind])
    return partial(_imported("gencode.documents.plain_text", "read_text"), kind)


def _imported(module: str, function: str) -> Callable[..., Document]:
    found: Callable[..., Document] = getattr(import_module(module), function)
    return found
