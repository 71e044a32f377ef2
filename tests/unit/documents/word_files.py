"""Word documents, as small as they can be."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{number}"><w:name w:val="heading {number}"/></w:style>'
    for number in range(1, 4)
)


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{run(text)}</w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def content_types(main_type: str = MAIN_TYPE) -> str:
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main_type}"/></Types>'
    )


def document_xml(body: str) -> str:
    return (
        f'<w:document xmlns:w="{_W}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'xmlns:v="urn:schemas-microsoft-com:vml"><w:body>{body}</w:body></w:document>'
    )


def word_parts(body: str) -> dict[str, str | bytes]:
    """With a footnote of id 2 if the body refers to one."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": content_types(),
        "word/document.xml": document_xml(body),
        "word/styles.xml": f'<w:styles xmlns:w="{_W}">{_STYLES}</w:styles>',
        "word/numbering.xml": (
            f'<w:numbering xmlns:w="{_W}"><w:abstractNum w:abstractNumId="0">'
            '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
            '<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/><w:lvlText w:val="•"/></w:lvl></w:abstractNum>'
            '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
        ),
    }
    if "footnoteReference" in body:
        note = f'<w:footnote w:id="2">{paragraph("脚注的文字")}</w:footnote>'
        parts["word/footnotes.xml"] = f'<w:footnotes xmlns:w="{_W}">{note}</w:footnotes>'
    return parts


def zipped(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
    return target.getvalue()


def word_file(body: str, more: Mapping[str, str | bytes] | None = None) -> bytes:
    """`more`: parts by name."""
    return zipped(word_parts(body) | dict(more or {}))


# --- .doc ----------------------------------------------------------------------------------------------

_SECTOR, _MINIMUM = 512, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole_file(streams: Mapping[str, bytes]) -> bytes:
    """Up to three streams; each is filled up to the size from which streams have sectors of their own."""
    padded = {name: data + bytes(-len(data) % _SECTOR) for name, data in streams.items()}
    padded = {name: data + bytes(max(0, _MINIMUM - len(data))) for name, data in padded.items()}
    fat, starts = [_FAT, _END], {}
    for name, data in padded.items():
        starts[name] = len(fat)
        count = len(data) // _SECTOR
        fat += [*range(len(fat) + 1, len(fat) + count), _END]
    assert len(fat) <= _SECTOR // 4
    fat += [_FREE] * (_SECTOR // 4 - len(fat))
    header = struct.pack("<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, _MINIMUM, _END, 0, _END, 0, 0)  # fmt: skip
    header += struct.pack("<108I", *[_FREE] * 108)
    entries = _entry("Root Entry", 5, _END, 0, child=1)
    for number, (name, data) in enumerate(padded.items(), 1):
        right = number + 1 if number < len(padded) else _FREE
        entries += _entry(name, 2, starts[name], len(data), right=right)
    entries += bytes(_SECTOR - len(entries))
    return header + struct.pack("<128I", *fat) + entries + b"".join(padded.values())


def _entry(name: str, kind: int, start: int, size: int, *, right: int = _FREE, child: int = _FREE) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ", encoded.ljust(64, b"\0"), len(encoded), kind, 1, _FREE, right, child, start, size
    )


def binary_word_streams(
    text: str, *, flags: int = 0x0200, version: int = 0xC1, footnotes: str = "", deleted: str = ""
) -> dict[str, bytes]:
    """The main text in two pieces, of which the second is of single bytes. `deleted`: a part of the text."""
    wide, narrow = (text + footnotes).encode("utf-16-le"), b"End of text.\r"
    start = 0x800
    main = bytearray(start)
    first = start + 2 * text.index(deleted)
    main[0x600:0x800] = _properties_page(start, first, first + 2 * len(deleted), start + len(wide))
    struct.pack_into("<II", main, 0xFA, 2, 12)
    struct.pack_into("<HH", main, 0, 0xA5EC, version)
    struct.pack_into("<H", main, 6, 0x0409)
    struct.pack_into("<H", main, 0x0A, flags)
    count = len(wide) // 2
    struct.pack_into("<ii", main, 0x4C, count - len(footnotes), len(footnotes))
    if not footnotes:
        struct.pack_into("<i", main, 0x4C, count + len(narrow))
    pieces = struct.pack("<III", 0, count, count + len(narrow))
    pieces += struct.pack("<HIH", 0, start, 0)
    pieces += struct.pack("<HIH", 0, (start + len(wide)) * 2 | 0x40000000, 0)
    clx = b"\x01" + struct.pack("<H", 2) + b"\0\0" + b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", main, 0x1A2, 16, len(clx))
    pages = bytes(2) + struct.pack("<III", start, start + len(wide), 0x600 // 512)
    return {"WordDocument": bytes(main) + wide + narrow, "1Table": pages.ljust(16, b"\0") + clx}


def _properties_page(*bounds: int) -> bytes:
    """The second of three runs is bold and deleted; its properties are in the middle of the page."""
    properties = struct.pack("<BHBHB", 6, 0x0835, 1, 0x0800, 1)
    page = struct.pack("<IIIIBBB", *bounds, 0, 100, 0).ljust(200, b"\0") + properties
    return page.ljust(511, b"\0") + b"\x03"


def binary_word_file(text: str, **options: int | str) -> bytes:
    return ole_file(binary_word_streams(text, **options))  # type: ignore[arg-type]
