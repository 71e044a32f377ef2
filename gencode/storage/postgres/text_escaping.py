"""Escapes the one character that PostgreSQL's text cannot hold, U+0000. Every text passes through here."""

from __future__ import annotations

from gencode.storage.rows import Row


def escape(text: str) -> str:
    """Keeps the order of texts: U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002."""
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def unescape(text: str) -> str:
    return text.replace("\1\1", "\0").replace("\1\2", "\1") if "\1" in text else text


def unescape_row(row: Row) -> Row:
    return tuple([unescape(value) if type(value) is str else value for value in row])
