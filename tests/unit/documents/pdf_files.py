"""PDF files, as small as they can be, with Chinese text."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

Place = tuple[float, float, str]
"""Left, and baseline from the bottom in points, and the text there."""
Line = tuple[float, float, float, float]
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def pdf_file(
    pages: Sequence[Sequence[Place]], lines: Sequence[Line] = (), *, to_unicode: bool = True
) -> bytes:
    """`lines` are on each page. Without `to_unicode` nobody knows which characters its glyphs are."""
    return assembled(_objects(pages, lines, to_unicode))


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A file of these objects, numbered from 1; the first is the catalog."""
    data, offsets = bytearray(b"%PDF-1.4\n%\xe4\xb8\xad\xe6\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _objects(pages: Sequence[Sequence[Place]], lines: Sequence[Line], to_unicode: bool) -> list[bytes]:
    glyphs = {character: number for number, character in enumerate(_characters(pages), 1)}
    first = 6
    kids = b" ".join(b"%d 0 R" % (first + 2 * index) for index in range(len(pages)))
    unicode = b"/ToUnicode 5 0 R" if to_unicode else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [4 0 R] %s >>"
        % unicode,
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /DW 1000 /FontDescriptor << /Type "
        b"/FontDescriptor /FontName /Song /Flags 4 /FontBBox [0 -200 1000 800] /Ascent 800 /Descent -200 "
        b"/CapHeight 700 /ItalicAngle 0 /StemV 80 >> /CIDSystemInfo << /Registry (Adobe) "
        b"/Ordering (Identity) /Supplement 0 >> >>",
        stream(_cmap(glyphs)),
    ]
    for index, places in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (first + 2 * index + 1)
        )
        objects.append(stream(_content(places, lines, glyphs)))
    return objects


def _characters(pages: Sequence[Sequence[Place]]) -> list[str]:
    return sorted({character for places in pages for _, _, text in places for character in text})


def _cmap(glyphs: dict[str, int]) -> bytes:
    rows = b"".join(
        b"<%04x> <%s>\n" % (number, character.encode("utf-16-be").hex().encode())
        for character, number in glyphs.items()
    )
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        b"1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        b"%d beginbfchar\n%sendbfchar endcmap end end" % (len(glyphs), rows)
    )


def _content(places: Sequence[Place], lines: Sequence[Line], glyphs: dict[str, int]) -> bytes:
    drawn = [b"%g %g m %g %g l S" % line for line in lines]
    for left, bottom, text in places:
        codes = b"".join(b"%04x" % glyphs[character] for character in text)
        drawn.append(b"BT /F 10 Tf %g %g Td <%s> Tj ET" % (left, bottom, codes))
    return b"\n".join(drawn)


def encrypted_pdf(text: str, *, user_password: bytes = b"", owner_password: bytes = b"owner") -> bytes:
    """With RC4 of 40 bits, by algorithms 2 to 4 of ISO 32000-1, 7.6.3."""
    owner_key = hashlib.md5(_padded(owner_password)).digest()[:5]
    owner = _rc4(owner_key, _padded(user_password))
    permissions, identity = -44, b"0" * 16
    seed = _padded(user_password) + owner + struct.pack("<i", permissions) + identity
    key = hashlib.md5(seed).digest()[:5]
    user = _rc4(key, _PADDING)
    objects = _objects([[(50, 700, text)]], (), True)
    objects = [_encrypted(number, content, key) for number, content in enumerate(objects, 1)]
    trailer = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >> /ID [(%s) (%s)]"
    hexadecimal = [value.hex().encode() for value in (owner, user)]
    return assembled(objects, trailer % (permissions, *hexadecimal, identity, identity))


def _padded(password: bytes) -> bytes:
    return (password + _PADDING)[:32]


def _encrypted(number: int, content: bytes, key: bytes) -> bytes:
    """The stream of an object; the only strings outside of streams are names of encodings."""
    head, mark, rest = content.partition(b"stream\n")
    if not mark:
        return content.replace(b"(Adobe)", _string(number, b"Adobe", key)).replace(
            b"(Identity)", _string(number, b"Identity", key)
        )
    plain = rest.removesuffix(b"\nendstream")
    return head + mark + _rc4(_object_key(number, key), plain) + b"\nendstream"


def _string(number: int, plain: bytes, key: bytes) -> bytes:
    return b"<%s>" % _rc4(_object_key(number, key), plain).hex().encode()


def _object_key(number: int, key: bytes) -> bytes:
    return hashlib.md5(key + struct.pack("<I", number)[:3] + b"\0\0").digest()[:10]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    output = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        output.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(output)
