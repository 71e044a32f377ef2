"""Files that are made to harm their reader."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from tests.unit.documents.pdf_files import assembled, pdf_file, stream
from tests.unit.documents.word_files import (
    binary_word_file,
    binary_word_streams,
    cell,
    document_xml,
    ole_file,
    paragraph,
    table,
    word_file,
    word_parts,
    zipped,
)

Outcomes = frozenset[str]
KIND, UNREADABLE = frozenset({"DOCUMENT_KIND"}), frozenset({"DOCUMENT_UNREADABLE"})
TOO_LARGE, ENCRYPTED = frozenset({"DOCUMENT_TOO_LARGE"}), frozenset({"DOCUMENT_ENCRYPTED"})
READ = frozenset({"read"})
NO_TEXT = frozenset({"DOCUMENT_WITHOUT_TEXT"})
BROKEN = UNREADABLE | NO_TEXT
"""What PDFium makes of broken objects depends on its version."""
TEXT = paragraph("文字")


def word_with(document: str) -> bytes:
    return word_file("", {"word/document.xml": document})


def expanding_to(megabytes: int) -> bytes:
    """A Word document whose text takes a thousandth of what it expands to."""
    start, end = document_xml("\0").split("\0")
    block = paragraph("0" * 2**16) * 16
    return word_file("", {"word/document.xml": start + block * megabytes + end})


def with_untrue_size() -> bytes:
    """The archive says that its document is of 100 bytes."""
    data = bytearray(expanding_to(8))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("word/document.xml")
    true, untrue = struct.pack("<I", info.file_size), struct.pack("<I", 100)
    assert data.count(true) == 2
    return bytes(data).replace(true, untrue)


def with_flag(flag: int) -> bytes:
    """Of the entries in the directory and before their data."""
    data = bytearray(word_file(TEXT))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= flag
            at = data.find(mark, at + 4)
    return bytes(data)


def entities(declaration: str, use: str) -> bytes:
    return word_with(f"<!DOCTYPE a [{declaration}]>" + document_xml(paragraph("x").replace("x", use)))


LAUGHS = '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
)


def pdf_with(*objects: bytes) -> bytes:
    return assembled([b"<< /Type /Catalog /Pages 2 0 R >>", *objects])


def page_with(content: bytes, more: bytes = b"") -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R %s >>" % more
    return pdf_with(b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, content)


def deflated(block: bytes, count: int) -> bytes:
    """A stream of as many blocks."""
    compressor = zlib.compressobj(1)
    packed = b"".join(compressor.compress(block) for _ in range(count)) + compressor.flush()
    return b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)


def ole_with(at: int, value: int) -> bytes:
    """A Word document with another number in its head or its tables."""
    data = bytearray(binary_word_file("文字\r"))
    struct.pack_into("<I", data, at, value)
    return bytes(data)


FORM = (
    b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length 5 >>"
)


def archives() -> bytes:
    return zipped({f"{number}.zip": zipped({"0": bytes(10**6)}) for number in range(9)})


HostileFile = tuple[Callable[[], bytes], Outcomes]
"""How it is made, and which codes are right; "read" stands for a text."""
WORD: Mapping[str, HostileFile] = {
    "300 MB in one MB": (lambda: expanding_to(300), TOO_LARGE),
    "40 MB in an archive": (lambda: expanding_to(40), TOO_LARGE),
    "a size that is untrue": (lambda: with_untrue_size(), UNREADABLE),
    "archives in the archive": (lambda: word_file(TEXT, {"word/embeddings/a.zip": archives()}), READ),
    "only archives": (lambda: archives(), KIND),
    "an empty archive": (lambda: zipped({}), KIND),
    "6,000 entries": (lambda: word_file(TEXT, {f"x/{number}": b"" for number in range(6_000)}), TOO_LARGE),
    "names of other folders": (
        lambda: word_file(TEXT, {"../../etc/passwd": b"x", "/etc/shadow": b"x"}),
        READ,
    ),
    "another compression": (lambda: zipped(word_parts(TEXT), zipfile.ZIP_LZMA), UNREADABLE),
    "encrypted entries": (lambda: with_flag(1), ENCRYPTED),
    "entities in entities": (lambda: entities(LAUGHS, "&a9;"), UNREADABLE),
    "an external entity": (lambda: entities('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"), UNREADABLE),
    "an external document type": (
        lambda: word_with('<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">' + document_xml(TEXT)),
        UNREADABLE,
    ),
    "100,000 levels": (lambda: word_with(document_xml("<w:p>" * 100_000)), UNREADABLE),
    "140 levels of tables": (
        lambda: word_file("<w:tbl><w:tr><w:tc>" * 45 + TEXT + "</w:tc></w:tr></w:tbl>" * 45),
        READ,
    ),
    "400,000 elements": (lambda: word_file("<w:p/>" * 400_000), TOO_LARGE),
    "a cell of a billion columns": (
        lambda: word_file(table(cell("文字", '<w:gridSpan w:val="1000000000"/>'))),
        READ,
    ),
    "a cell of no number of columns": (
        lambda: word_file(table(cell("文字", '<w:gridSpan w:val="x"/>'))),
        UNREADABLE,
    ),
    "a list of no level": (
        lambda: word_file(
            TEXT.replace("<w:r>", '<w:pPr><w:numPr><w:ilvl w:val="x"/></w:numPr></w:pPr><w:r>', 1)
        ),
        READ,
    ),
    "XML that ends early": (lambda: word_with("<w:document"), UNREADABLE),
    "no XML": (lambda: word_with("text"), UNREADABLE),
    "half of a document": (lambda: word_file(TEXT)[:-300], UNREADABLE),
}
PDF: Mapping[str, HostileFile] = {
    "pages that are their own parent": (
        lambda: pdf_with(b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        BROKEN,
    ),
    "two billion pages": (
        lambda: pdf_with(b"<< /Type /Pages /Kids [] /Count 2147483647 >>"),
        BROKEN | TOO_LARGE,
    ),
    "6,000 pages that are one": (
        lambda: pdf_with(
            b"<< /Type /Pages /Kids [%s] /Count 6000 >>" % (b"3 0 R " * 6000),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ),
        BROKEN | TOO_LARGE,
    ),
    "a billion bytes of content": (lambda: page_with(deflated(bytes(10**6), 1000)), BROKEN | TOO_LARGE),
    "100,000 arrays": (lambda: page_with(stream(b""), b"/X %s" % (b"[" * 100_000)), BROKEN),
    "100,000 dictionaries": (
        lambda: page_with(stream(b""), b"/X %s" % (b"<</A" * 100_000)),
        BROKEN,
    ),
    "a length that is itself": (lambda: page_with(b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream"), BROKEN),
    "a picture of itself": (
        lambda: pdf_with(
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R "
            b"/Resources << /XObject << /X 5 0 R >> >> >>",
            stream(b"/X Do"),
            FORM + b"\nstream\n/X Do\nendstream",
        ),
        BROKEN,
    ),
    "a million lines": (lambda: page_with(deflated(b"0 0 m 9 9 l S\n" * 1000, 1000)), BROKEN | TOO_LARGE),
    "filters on filters": (
        lambda: page_with(
            b"<< /Filter [%s] /Length 4 >>\nstream\nabcd\nendstream" % (b"/FlateDecode " * 5000)
        ),
        BROKEN,
    ),
    "a table of objects at a negative place": (
        lambda: pdf_file([[(50, 700, "文字")]]).replace(b"startxref\n", b"startxref\n-"),
        READ | BROKEN,
    ),
    "a table of objects that refers to itself": (
        lambda: pdf_file([[(50, 700, "文字")]]).replace(
            b"/Root 1 0 R", b"/Root 1 0 R /Prev 1400 /XRefStm 1400"
        ),
        READ | BROKEN,
    ),
    "half of a file": (lambda: pdf_file([[(50, 700, "文字")]])[:700], BROKEN),
    "a head only": (lambda: b"%PDF-1.7", BROKEN),
}
BINARY_WORD: Mapping[str, HostileFile] = {
    "sectors that follow themselves": (lambda: ole_with(512 + 4 * 3, 3), UNREADABLE | NO_TEXT),
    "a directory that follows itself": (lambda: ole_with(512 + 4, 1), UNREADABLE | READ),
    "a directory elsewhere": (lambda: ole_with(0x30, 0x7FFFFFFF), UNREADABLE),
    "a list of tables that never ends": (lambda: ole_with(0x48, 0xFFFFFFFF), UNREADABLE | READ),
    "a list of tables elsewhere": (lambda: ole_with(0x44, 0), UNREADABLE | READ),
    "a stream of 4 GB": (lambda: ole_with(1024 + 128 + 120, 0xFFFFFFFF), UNREADABLE | READ),
    "an entry that is its own child": (lambda: ole_with(1024 + 128 + 76, 1), UNREADABLE | KIND | READ),
    "a billion pieces": (
        lambda: ole_file(binary_word_streams("文字") | {"1Table": bytes(16) + b"\x02" + b"\xff" * 4096}),
        UNREADABLE,
    ),
    "fields in fields": (lambda: binary_word_file("\x13" * 10_000 + "文字" + "\x15" * 10_000), READ),
    "half of a document": (lambda: binary_word_file("文字" * 4000)[:9000], UNREADABLE),
    "no document": (lambda: ole_file({"x": b""}), KIND),
}
TEXTS: Mapping[str, HostileFile] = {
    "two million characters": (lambda: b"a" * 2_000_000, TOO_LARGE),
    "a heading of number signs": (lambda: b"# " + b" #" * 400_000, READ),
    "a line of white space": (lambda: b"a" + b" \t" * 400_000 + b"a", READ),
    "fences in fences": (lambda: b"".join(b"`" * number + b"\n" for number in range(3, 1_000)), READ),
    "200,000 headings": (lambda: b"# a\n" * 200_000, TOO_LARGE),
    "half of a character": (lambda: "文".encode()[:2], UNREADABLE),
}
FILES: Mapping[str, Mapping[str, HostileFile]] = {
    "docx": WORD,
    "pdf": PDF,
    "doc": BINARY_WORD,
    "md": TEXTS,
}
