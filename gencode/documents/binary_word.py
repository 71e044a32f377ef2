"""Documents of Word 97 to 2003 (.doc): an OLE file whose text is in pieces.

[MS-DOC] names the fields: the FIB is the head of the stream WordDocument; the Clx in the table stream says
where each piece is.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import olefile

from gencode.documents.binary_word_deletions import Range, deleted_ranges, kept
from gencode.documents.characters import without_control_characters
from gencode.documents.document import Counts, Document, DocumentKind, DocumentWarning, WarningCode
from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentKindError,
    DocumentUnreadable,
    DocumentWithoutText,
    OldWordFormat,
)
from gencode.documents.sections import one_section

_OTHER_STREAMS: Mapping[str, str] = {
    "Workbook": "an Excel file",
    "Book": "an Excel file",
    "PowerPoint Document": "a PowerPoint file",
    "VisioDocument": "a Visio file",
    "__properties_version1.0": "an Outlook message",
}
_WORD_MAGIC, _WORD_97 = 0xA5EC, 0x00C1
_FIB_SIZE, _FIB_CLX, _FIB_LENGTHS = 0x1AA, 0x1A2, 0x4C
_FIB_LANGUAGE, _PRIMARY_LANGUAGE = 0x06, 0x3FF
_WESTERN = frozenset({0x03, 0x06, 0x07, 0x09, 0x0A, 0x0B, 0x0C, 0x0F, 0x10, 0x13, 0x14, 0x16, 0x1D, 0x2D})
"""Languages whose letters are those of cp1252: other programs take the text of an old file for that."""
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_PIECE_TABLE, _PROPERTIES = 2, 1
_COMPRESSED = 0x40000000
_PARTS: Mapping[str, bool] = {
    "main": True,
    "footnotes": True,
    "headers": False,
    "macros": False,
    "comments": False,
    "endnotes": True,
    "text boxes": True,
}
"""Whether a part is read, in the order of the file."""
_NEEDS_PASSWORD = "The document needs a password. Save it without a password and upload that"
_DAMAGES = (OSError, struct.error, IndexError, ValueError, TypeError, AttributeError)
"""What olefile and the reading of fields raise; `OleFileError` is an OSError."""
_FIELD_CODE = re.compile("\x13[^\x13\x14\x15]*(?:\x14|(?=\x15))|\x15")
"""The code of a field without inner fields, up to its result; and a field's end."""
_MAX_FIELD_DEPTH = 8
_CHARACTERS = str.maketrans({"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\xa0": " ", "\x1f": None})
_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def read_binary_word(data: bytes) -> Document:
    """Raises DocumentError; OldWordFormat if another reader may succeed."""
    characters = without_field_codes(word_characters(data))
    counted = (
        (WarningCode.PICTURES_LEFT_OUT, characters.count("\x01") + characters.count("\x08")),
        (WarningCode.COMMENTS_LEFT_OUT, characters.count("\x05")),
    )
    warnings = [DocumentWarning(code=code, values={"count": count}) for code, count in counted if count]
    return binary_word_document(document_text(characters), warnings)


def binary_word_document(text: str, warnings: Sequence[DocumentWarning]) -> Document:
    """Raises DocumentWithoutText."""
    if not text.strip():
        raise DocumentWithoutText("The document has no text; pictures of text are not read")
    return Document(
        kind=DocumentKind.DOC,
        text=text,
        sections=one_section(text),
        counts=Counts(characters=len(text)),
        warnings=tuple(warnings),
    )


def read_package_in_ole(data: bytes) -> NoReturn:
    """An OLE file that is named .docx: an encrypted document, or another kind. Raises DocumentError."""
    with suppress(*_DAMAGES), olefile.OleFileIO(io.BytesIO(data)) as ole:
        if ole.exists("EncryptedPackage"):
            raise DocumentEncrypted(_NEEDS_PASSWORD)
    raise DocumentKindError(
        "The file is named .docx and its content is an OLE file: if it is a document of Word 97 to 2003, "
        "name it .doc"
    )


def word_characters(data: bytes) -> str:
    """All characters as they are stored: the main text, then notes. Raises DocumentError."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            _check_streams(ole)
            return _characters(ole)
    except _DAMAGES as error:
        raise OldWordFormat(f"The document is damaged, or of an unusual kind: {error}") from None


def _check_streams(ole: olefile.OleFileIO) -> None:
    if ole.exists("WordDocument"):
        return
    if ole.exists("EncryptedPackage"):
        raise DocumentEncrypted(_NEEDS_PASSWORD)
    found = next((name for stream, name in _OTHER_STREAMS.items() if ole.exists(stream)), "no Word document")
    raise DocumentKindError(f"The file is {found}. Save it as .pdf or .docx and upload that")


def _characters(ole: olefile.OleFileIO) -> str:
    main = ole.openstream("WordDocument").read()
    magic, version = struct.unpack_from("<HH", main, 0)
    (flags,) = struct.unpack_from("<H", main, 0x0A)
    if flags & _ENCRYPTED:
        raise DocumentEncrypted(_NEEDS_PASSWORD)
    if magic != _WORD_MAGIC or version < _WORD_97 or len(main) < _FIB_SIZE:
        (language,) = struct.unpack_from("<H", main, _FIB_LANGUAGE)
        error = OldWordFormat if language & _PRIMARY_LANGUAGE in _WESTERN else DocumentUnreadable
        raise error("The document is of Word 95 or older. Save it as .docx and upload that")
    table = ole.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
    start, size = struct.unpack_from("<II", main, _FIB_CLX)
    pieces = _pieces(main, _piece_table(table[start : start + size]), deleted_ranges(main, table))
    text = "".join(pieces)
    return "\r".join(_parts(text, main))


def _parts(text: str, main: bytes) -> Iterator[str]:
    """The text has parts, one after another; headers, comments and macros are not wanted."""
    lengths = struct.unpack_from(f"<{len(_PARTS)}i", main, _FIB_LENGTHS)
    start = 0
    for is_wanted, length in zip(_PARTS.values(), lengths, strict=True):
        if is_wanted and length > 0:
            yield text[start : start + length]
        start += max(length, 0)


def _piece_table(clx: bytes) -> bytes:
    """After the properties that a file that was saved in parts has before it. Raises OldWordFormat."""
    at = 0
    while at < len(clx) and clx[at] == _PROPERTIES:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at >= len(clx) or clx[at] != _PIECE_TABLE:
        raise OldWordFormat("The document is damaged: it has no table of its pieces")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    return clx[at + 5 : at + 5 + size]


def _pieces(main: bytes, table: bytes, deleted: Sequence[Range]) -> Iterator[str]:
    """With U+0000 in place of deleted characters, which the lengths of parts count.

    Raises OldWordFormat if a piece is not in the file: its text would be missing.
    """
    count = (len(table) - 4) // 12
    positions = struct.unpack_from(f"<{count + 1}I", table, 0)
    for index in range(count):
        (place,) = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * index + 2)
        length = positions[index + 1] - positions[index]
        is_compressed = bool(place & _COMPRESSED)
        start = (place & ~_COMPRESSED) // 2 if is_compressed else place
        end = start + length * (1 if is_compressed else 2)
        if length < 0 or end > len(main):
            raise OldWordFormat("The document is damaged: a piece of its text is not in the file")
        for (first, last), is_kept in kept(start, end, deleted):
            text = main[first:last].decode("cp1252" if is_compressed else "utf-16-le", "replace")
            yield text if is_kept else "\0" * len(text)


def without_field_codes(characters: str) -> str:
    """With the results of fields, such as the text of a link."""
    for _ in range(_MAX_FIELD_DEPTH):
        characters, count = _FIELD_CODE.subn("", characters)
        if not count:
            break
    return characters


def document_text(characters: str) -> str:
    """Cells of a row are separated by ` | `; lines become paragraphs."""
    text = characters.translate(_CHARACTERS).replace("\x07\x07", "\n").replace("\x07", " | ")
    lines = without_control_characters(text)[0].replace("\n", "\n\n")
    return _EMPTY_LINES.sub("\n\n", lines).strip() + "\n"
