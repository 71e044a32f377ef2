"""The zip archive of a .docx file: checked before anything is parsed, reduced to what its reader needs."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentKindError,
    DocumentTooLarge,
    DocumentUnreadable,
)
from gencode.documents.word_numbering import word_numbering
from gencode.documents.xml_filter import XmlFilter

MAX_ENTRIES = 5_000
MAX_XML_BYTES = 64 * 2**20
"""Of all parts that are read. A zip archive cannot expand to more than it declares: reading stops there."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    ElementTree.ParseError,
    EOFError,
    NotImplementedError,
)
_CONTENT_TYPES = "[Content_Types].xml"
_MAIN_TYPE = re.compile(rb"wordprocessingml\.(?:document|template)\.main\+xml")
_TYPE_WITH_MACROS = re.compile(rb"vnd\.ms-word\.(?:document|template)\.macroEnabled")
_PARTS = re.compile(r"(?:[^/]{1,100}/)?(?:_rels/)?[^/]{1,100}\.(?:xml|rels)")
"""The document, its styles, numbering and notes, and the relations between them; neither themes, pictures and
macros, nor embedded files and archives."""
_NOT_READ = re.compile(
    r"(?:customXml|docProps)/.*|.*/(?:settings|webSettings|fontTable|header\d*|footer\d*)\.xml"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WordPackage:
    """A zip archive of the parts that are read, and what it lacks or has.

    left_out         elements that are left out, by local name
    text_characters  characters that the document and its notes have, without white space
    """

    archive: bytes
    left_out: Mapping[str, int]
    text_characters: int


def word_package(data: bytes) -> WordPackage:
    """Raises DocumentError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = _checked_infos(archive)
            _check_kind(archive, infos)
            return _reduced(archive, list(infos.values()))
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        ElementTree.ParseError,
        EOFError,
        NotImplementedError,
    ) as error:
        raise DocumentUnreadable(f"The document is damaged: {error}") from None


def _checked_infos(archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """The entries that are read, by name."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise DocumentTooLarge(f"The archive has {len(entries)} entries, which is more than {MAX_ENTRIES}")
    infos = {entry.filename: entry for entry in entries if _is_read(entry.filename)}
    if any(info.flag_bits & 1 for info in infos.values()):
        raise DocumentEncrypted("The archive is encrypted. Upload it without a password")
    if any(info.compress_type not in _METHODS for info in infos.values()):
        raise DocumentUnreadable("The archive is compressed in a way that no Word document is")
    if sum(info.file_size for info in infos.values()) > MAX_XML_BYTES:
        raise DocumentTooLarge(f"The document expands to more than {MAX_XML_BYTES // 2**20} MB")
    return infos


def _is_read(name: str) -> bool:
    return name == _CONTENT_TYPES or bool(_PARTS.fullmatch(name) and not _NOT_READ.fullmatch(name))


def _check_kind(archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo]) -> None:
    """Raises DocumentKindError."""
    if _CONTENT_TYPES not in infos:
        raise DocumentKindError("The file is a zip archive and no Word document. Upload the documents in it")
    types = archive.read(_CONTENT_TYPES)
    if _TYPE_WITH_MACROS.search(types):
        raise DocumentKindError("The document has macros. Save it as .docx without macros and upload that")
    if not _MAIN_TYPE.search(types):
        raise DocumentKindError("The file is an Office file and no Word document. Save it as .pdf or .docx")


def _reduced(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> WordPackage:
    xml, target = XmlFilter(), io.BytesIO()
    with zipfile.ZipFile(target, "w") as reduced:
        for name, part in _filtered(archive, infos, xml):
            reduced.writestr(name, part)
    return WordPackage(archive=target.getvalue(), left_out=xml.counts, text_characters=xml.text_characters)


def _filtered(
    archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], xml: XmlFilter
) -> Iterator[tuple[str, bytes]]:
    """What numbers the paragraphs comes before the document."""
    defining: dict[str, bytes] = {"numbering": b"", "styles": b""}
    for info in sorted(infos, key=lambda info: _base_name(info) not in defining):
        name, part = _base_name(info), archive.read(info)
        if name in defining:
            defining[name] = filtered = xml.filtered(part, is_text=False)
        else:
            numbering = word_numbering(**defining) if name.startswith("document") else None
            filtered = xml.filtered(part, is_text="comments" not in name, numbering=numbering)
        yield info.filename, filtered


def _base_name(info: zipfile.ZipInfo) -> str:
    """Without a suffix; "" for relations."""
    name = info.filename.rpartition("/")[2]
    return name.removesuffix(".xml") if name.endswith(".xml") else ""
