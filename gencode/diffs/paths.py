"""Paths of Git, which are bytes, as text, and in the quotation marks that Git puts around unusual ones."""

from __future__ import annotations

import re

_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"')
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)


def path_text(path: bytes) -> str:
    """Reversible: bytes that are not UTF-8 become surrogates, as `os.fsdecode` does."""
    return path.decode("utf-8", "surrogateescape")


def path_bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def display_path(path: str) -> str:
    """The path for people, models and JSON: printable; what is not is escaped.

    "a/项目.py" stays, "a\\nb" becomes "a\\\\nb", the byte 0xff becomes "\\\\xff".
    """
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(map(_displayed, path))


def _displayed(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character == "\\":
        return "\\\\"
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def quoted_prefix(text: bytes) -> tuple[bytes, bytes] | None:
    """The path in the quotation marks with which the text begins, and what follows. None if it is not one.

    b'"a/\\\\345\\\\205\\\\263" b' is (b"a/\\xe5\\x85\\xb3", b" b").
    """
    if not (found := _QUOTED.match(text)):
        return None
    try:
        return _ESCAPE.sub(_unescaped, found[1]), text[found.end() :]
    except KeyError:
        return None


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes((int(code, 8),)) if len(code) == 3 else _ESCAPES[code]
