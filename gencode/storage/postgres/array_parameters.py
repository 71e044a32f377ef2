"""Parameters of a statement over many rows: one array for each column, in binary."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import postgres
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

from gencode.domain.errors import StoreError
from gencode.storage.postgres.text_escaping import escape
from gencode.storage.rows import Row

CHUNK_ROWS = 1000
CHUNK_CHARACTERS = 4_194_304
"""A statement holds no more, except for a single row."""
MAX_ROW_CHARACTERS = 200_000_000
"""PostgreSQL limits a message to 1 GiB, and a character takes up to 4 bytes. It would end the connection."""

_TEXT, _BIGINT = postgres.types["text"], postgres.types["int8"]
_NULL = b"\xff\xff\xff\xff"
_EMPTY = struct.pack("!ii", 0, 0)
_head = struct.Struct("!iiIii").pack
_length = struct.Struct("!i").pack


class TextArray(list[Any]):
    """Texts and None."""


class BigintArray(list[Any]):
    """Integers of 64 bits, and None."""


class _TextArrayDumper(Dumper):
    format = Format.BINARY
    oid = _TEXT.array_oid

    def dump(self, obj: TextArray) -> bytes:
        texts = [None if text is None else escape(text).encode() for text in obj]
        parts = [_NULL if text is None else _length(len(text)) + text for text in texts]
        return _array(parts, _TEXT.oid, has_null=None in texts)


class _BigintArrayDumper(Dumper):
    format = Format.BINARY
    oid = _BIGINT.array_oid

    def dump(self, obj: BigintArray) -> bytes:
        try:
            parts = [_NULL if number is None else struct.pack("!iq", 8, number) for number in obj]
        except struct.error as error:
            raise StoreError("a number is too large for the database") from error
        return _array(parts, _BIGINT.oid, has_null=_NULL in parts)


def _array(parts: Sequence[bytes], element: int, *, has_null: bool) -> bytes:
    if not parts:
        return _EMPTY + struct.pack("!I", element)
    return b"".join([_head(1, has_null, element, len(parts), 1), *parts])


def register(context: AdaptContext) -> None:
    """Register both dumpers with a connection or a cursor."""
    context.adapters.register_dumper(TextArray, _TextArrayDumper)
    context.adapters.register_dumper(BigintArray, _BigintArrayDumper)


def columns(rows: Sequence[Row], types: Sequence[str]) -> list[TextArray | BigintArray]:
    """The columns of rows. `types`: `text` or `bigint` for each."""
    return [
        TextArray(column) if type_ == "text" else BigintArray(column)
        for type_, column in zip(types, zip(*rows, strict=True), strict=True)
    ]


def chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in parts that one statement can hold. Raises StoreError for a row that none can."""
    begin = size = 0
    for end, row in enumerate(rows):
        characters = sum([len(value) for value in row if type(value) is str])
        if characters > MAX_ROW_CHARACTERS:
            raise StoreError("a value is too large for the database")
        if end > begin and (size + characters > CHUNK_CHARACTERS or end - begin >= CHUNK_ROWS):
            yield rows[begin:end]
            begin, size = end, 0
        size += characters
    if rows:
        yield rows[begin:]
