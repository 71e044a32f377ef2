"""Forms with one file, as no browser would send them, and documents that are made to be too much."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

NAMES = (
    *(
        "a.md",
        "a.txt",
        "a.pdf",
        "a.docx",
        "a.doc",
        "A.MD",
        "项目.md",
        "a.md\0.exe",
        "../../a.md",
        "..\\..\\a.md",
    ),
    *(
        "/etc/passwd.md",
        "C:\\a.md",
        "",
        ".md",
        "md",
        "a",
        "a.exe",
        "x" * 300 + ".md",
        "a\r\nX: y.md",
        'a".md',
    ),
    *(
        "\u202efdp.md",
        "a.tar.gz",
        "con.md",
        "a.md.",
        "a.md ",
        ".",
        "..",
        "<script>.md",
        "=1+1.md",
        "\ud800.md",
    ),
)
CONTENT_TYPE = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">%s]><a>&z;</a>' % b"".join(
    b'<!ENTITY %c "%s">' % (letter + 1, b"&%c;" % letter * 10) for letter in range(ord("b"), ord("z"))
)
NESTED = b"<w:document>" + b"<w:p>" * 100_000
XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


def docx(body: bytes, *, copies: int = 1, name: str = "word/document.xml") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPE)
        for number in range(copies):
            archive.writestr(f"{number or ''}{name}", body)
    return made.getvalue()


def _pdf(stream: bytes) -> bytes:
    objects = (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
        b"2 0 obj<</Type/Pages/Kids[3 0 R 2 0 R]/Count 999999999>>endobj",
        b"3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R>>endobj",
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj" % (len(stream), stream),
    )
    return b"\n".join((b"%PDF-1.7", *objects, b"trailer<</Root 1 0 R/Size 5>>", b"%%EOF"))


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "a.docx": lambda: docx(b"\0" * 20_000_000),
    "b.docx": lambda: docx(ENTITIES),
    "c.docx": lambda: docx(NESTED),
    "d.docx": lambda: docx(XXE),
    "e.docx": lambda: docx(b"<a/>", copies=3000),
    "f.docx": lambda: docx(b"<a/>", name="../../../tmp/evil"),
    "g.docx": lambda: docx(b"<a/>")[:-30],
    "a.pdf": lambda: _pdf(b"q " * 100_000),
    "b.pdf": lambda: b"%PDF-1.7\n" + b"<<" * 50_000,
    "a.doc": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000,
    "a.txt": lambda: b"\xff\xfe" + b"\0\xd8" * 500,
    "a.md": lambda: b"[" * 100_000,
}
_MADE: dict[str, bytes] = {}


def bomb(random: Random) -> tuple[str, bytes]:
    """Its name and content, which is made once."""
    name = random.choice(list(BOMBS))
    if name not in _MADE:
        _MADE[name] = BOMBS[name]()
    return name, _MADE[name]


def packed_set(template_set: Mapping[str, Any]) -> bytes:
    """A template set as an archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(template_set["manifest"]))
        for name, text in template_set["files"].items():
            archive.writestr(name, text)
    return made.getvalue()


def damaged(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed[: random.choice((len(changed), random.randrange(len(changed))))])


def form(name: str, content: bytes, fields: Mapping[str, str] | None = None, boundary: str = "b0") -> bytes:
    parts = [f'form-data; name="file"; filename="{name}"'.encode("utf-8", "replace") + b"\r\n\r\n" + content]
    for key, value in (fields or {}).items():
        parts.append(f'form-data; name="{key}"\r\n\r\n{value}'.encode("utf-8", "replace"))
    mark = b"--" + boundary.encode()
    head = mark + b"\r\nContent-Disposition: "
    return head + (b"\r\n" + head).join(parts) + b"\r\n" + mark + b"--\r\n"


def hostile_form(random: Random, text: bytes) -> tuple[bytes, str]:
    """Its body and Content-Type."""
    kind = "multipart/form-data; boundary=b0"
    choice = random.random()
    if choice < 0.1:
        return form(*bomb(random)), kind
    content = random.choice(
        (text, b"", b"\xff" * 20, text.decode().encode("utf-16"), "中文".encode("gb18030"))
    )
    body = form(random.choice(NAMES), content, {random.choice(("name", "previous_id", "x")): "a\0\ud800b"})
    if choice < 0.4:
        return body, kind
    if choice < 0.6:
        cut = random.randrange(len(body))
        return body[:cut] + random.randbytes(3) + body[cut + random.randint(0, 3) :], kind
    if choice < 0.7:
        return body[: random.randrange(len(body))], kind
    if choice < 0.8:
        return b"".join([form(f"{number}.md", text)[:-6] for number in range(20)]), kind
    types = (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=b0",
        "text/plain",
    )
    return body, random.choice(
        (*types, "multipart/form-data; boundary=" + "x" * 300, f'{kind}; charset="\xff"')
    )
