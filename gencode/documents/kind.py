"""Which kind a file is, by its content, which must agree with its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from gencode.documents.document import DocumentKind
from gencode.documents.errors import DocumentKindError

_SUFFIXES = ", ".join(f".{kind}" for kind in DocumentKind)
PDF_MAGIC, _PDF_MAGIC_WITHIN = b"%PDF-", 1024
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS: Mapping[bytes, str] = {
    b"{\\rtf": "an RTF file",
    b"\xdb\xa5": "a file of Word 2",
    b"\x31\xbe": "a file of Windows Write",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"%!PS": "a PostScript file",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"SQLite format 3": "a database",
}
_MARKUP: Mapping[bytes, str] = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML file",
    b"mime-version:": "a web archive (MHTML)",
}
"""Which are texts, too: what Word saves as such and others name .doc."""
_TEXTS = ("", *_MARKUP.values())
_CONTENTS: Mapping[DocumentKind, tuple[str, ...]] = {
    DocumentKind.TXT: _TEXTS,
    DocumentKind.MD: _TEXTS,
    DocumentKind.PDF: ("a PDF file",),
    DocumentKind.DOC: ("an OLE file",),
    DocumentKind.DOCX: ("a zip archive", "an OLE file"),  # the latter: encrypted
}


def kind_of_name(name: str) -> DocumentKind:
    """By the suffix. Raises DocumentKindError."""
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower().removeprefix(".")
    try:
        return DocumentKind(suffix)
    except ValueError:
        shown = f".{suffix[:20]}" if suffix else "no suffix"
        raise DocumentKindError(
            f"Files with {shown} are not read. Upload one of {_SUFFIXES}; save others as .docx or .pdf"
        ) from None


def check_content(kind: DocumentKind, data: bytes) -> None:
    """Whether the first bytes are those of the kind; the readers look into a zip archive or an OLE file.

    Raises DocumentKindError.
    """
    found = _container(data)
    if found not in _CONTENTS[kind]:
        raise _disagreement(kind, found or "something else")


def _container(data: bytes) -> str:
    """ "" for what may be a text."""
    if data.startswith(ZIP_MAGICS):
        return "a zip archive"
    if data.startswith(OLE_MAGIC):
        return "an OLE file"
    if PDF_MAGIC in data[:_PDF_MAGIC_WITHIN] and not _may_be_text_about_pdf(data):
        return "a PDF file"
    for magic, name in _OTHERS.items():
        if data.startswith(magic):
            return name
    start = data[:_PDF_MAGIC_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((name for magic, name in _MARKUP.items() if start.startswith(magic)), "")


def _may_be_text_about_pdf(data: bytes) -> bool:
    """A PDF file may have a few bytes before its header, which then begins a line."""
    at = data.index(PDF_MAGIC)
    return at > 0 and data[at - 1 : at] not in b"\r\n\0\xbf" and b"obj" not in data


def _disagreement(kind: DocumentKind, found: str) -> DocumentKindError:
    hints = {
        "a zip archive": "if it is a Word document, name it .docx",
        "an OLE file": "if it is a document of Word 97 to 2003, name it .doc",
        "a PDF file": "name it .pdf",
    }
    advice = hints.get(found, f"upload one of {_SUFFIXES}; save others as .docx or .pdf")
    return DocumentKindError(f"The file is named .{kind} and its content is {found}: {advice}")
