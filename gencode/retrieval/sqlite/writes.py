"""The writes of the index, each called within a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from gencode.domain.phrase import Phrase
from gencode.retrieval.errors import EncoderIncomplete, EncoderMismatch
from gencode.retrieval.port import EncoderInfo
from gencode.retrieval.records import Chunk, ChunkRef, IndexedDocument
from gencode.retrieval.sqlite.reads import base_position, encoder_row
from gencode.retrieval.sqlite.schema import create_text_index, drop_text_index
from gencode.retrieval.vectors import check_sizes

_INSERT_CHUNK = (
    "INSERT INTO chunks (base, document, ordinal, start, page, page_breaks, sha256, text)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_STORE_VECTOR = (
    "INSERT OR REPLACE INTO vectors (chunk, encoder, vector) SELECT chunks.id, ?, ?"
    " FROM chunks JOIN documents ON documents.id = document"
    " WHERE documents.base = ? AND name = ? AND ordinal = ? AND chunks.sha256 = ?"
)
_HAS_UNENCODED = (
    "SELECT EXISTS (SELECT 1 FROM chunks WHERE base = ? AND NOT EXISTS"
    " (SELECT 1 FROM vectors WHERE chunk = chunks.id AND encoder = ?))"
)


def apply(
    connection: sqlite3.Connection, base: str, put: Sequence[IndexedDocument], remove: Sequence[str]
) -> int:
    """See `RetrievalIndex.apply`."""
    number = _base(connection, base)
    position = _position(connection, number) + 1
    changes = [_remove(connection, number, name) for name in remove]
    changes += [_put(connection, number, position, document) for document in put]
    return _moved(connection, number) if any(changes) else position - 1


def drop(connection: sqlite3.Connection, base: str) -> None:
    if found := base_position(connection, base):
        drop_text_index(connection, found[0])
        connection.execute("DELETE FROM bases WHERE id = ?", found[:1])


def add_encoder(connection: sqlite3.Connection, base: str, encoder: EncoderInfo) -> None:
    number = _base(connection, base)
    known = encoder_row(connection, number, encoder.id)
    if known and known[1] != encoder.dimensions:
        raise EncoderMismatch(f"{encoder.id} has {known[1]} dimensions in this base: give it another version")
    if not known:
        connection.execute(
            "INSERT INTO encoders (base, name, dimensions, is_active) VALUES (?, ?, ?, 0)",
            (number, encoder.id, encoder.dimensions),
        )
        _moved(connection, number)


def store_vectors(
    connection: sqlite3.Connection, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]
) -> int:
    number, key, dimensions = _known_encoder(connection, base, encoder)
    check_sizes(vectors.values(), dimensions)
    connection.executemany(
        _STORE_VECTOR,
        ((key, vector, number, ref.document, ref.ordinal, ref.sha256) for ref, vector in vectors.items()),
    )
    return _moved(connection, number)


def activate(connection: sqlite3.Connection, base: str, encoder: str) -> None:
    number, key, _ = _known_encoder(connection, base, encoder)
    if connection.execute(_HAS_UNENCODED, (number, key)).fetchone()[0]:
        raise EncoderIncomplete(
            Phrase("chunks without a vector of {encoder} remain: encode them first", encoder=encoder)
        )
    connection.execute("DELETE FROM encoders WHERE base = ? AND id <> ?", (number, key))
    connection.execute("UPDATE encoders SET is_active = 1 WHERE id = ?", (key,))
    _moved(connection, number)


def _known_encoder(connection: sqlite3.Connection, base: str, encoder: str) -> tuple[int, int, int]:
    """The numbers of base and encoder, and the encoder's dimensions."""
    found = base_position(connection, base)
    known = encoder_row(connection, found[0], encoder) if found else None
    if not (found and known):
        raise EncoderMismatch(f"the base has no encoder {encoder}: add it first")
    return found[0], known[0], known[1]


def _base(connection: sqlite3.Connection, name: str) -> int:
    """The base's number; it is created if it is missing."""
    if found := base_position(connection, name):
        return found[0]
    number = connection.execute("INSERT INTO bases (name, position) VALUES (?, 0)", (name,)).lastrowid or 0
    create_text_index(connection, number)
    return number


def _position(connection: sqlite3.Connection, base: int) -> int:
    return int(connection.execute("SELECT position FROM bases WHERE id = ?", (base,)).fetchone()[0])


def _moved(connection: sqlite3.Connection, base: int) -> int:
    connection.execute("UPDATE bases SET position = position + 1 WHERE id = ?", (base,))
    return _position(connection, base)


def _put(connection: sqlite3.Connection, base: int, position: int, document: IndexedDocument) -> bool:
    """Whether it was a change."""
    stored = connection.execute(
        "SELECT sha256, chunker FROM documents WHERE base = ? AND name = ?", (base, document.id)
    ).fetchone()
    if stored == (document.sha256, document.chunker):
        return False
    _remove(connection, base, document.id)
    number = connection.execute(
        "INSERT INTO documents (base, name, sha256, chunker, position) VALUES (?, ?, ?, ?, ?)",
        (base, document.id, document.sha256, document.chunker, position),
    ).lastrowid
    connection.executemany(_INSERT_CHUNK, _chunk_rows(base, number or 0, document.chunks))
    _write_terms(connection, base, number or 0, "")
    return True


def _remove(connection: sqlite3.Connection, base: int, name: str) -> bool:
    found = connection.execute(
        "SELECT id FROM documents WHERE base = ? AND name = ?", (base, name)
    ).fetchone()
    if found:
        _write_terms(connection, base, found[0], "delete")
        connection.execute("DELETE FROM documents WHERE id = ?", found)
    return found is not None


def _write_terms(connection: sqlite3.Connection, base: int, document: int, command: str) -> None:
    """Add a document's terms to the text index; command "delete": remove them."""
    name, value = (f", text_{base:d}", ", 'delete'") if command else ("", "")
    connection.execute(
        f"INSERT INTO text_{base:d} (rowid, terms{name})"  # noqa: S608
        f" SELECT id, index_terms(text){value} FROM chunks WHERE document = ?",
        (document,),
    )


def _chunk_rows(base: int, document: int, chunks: Sequence[Chunk]) -> Iterator[tuple[object, ...]]:
    for chunk in chunks:
        breaks = json.dumps(chunk.page_breaks)
        place = (chunk.ordinal, chunk.start, chunk.page, breaks)
        yield (base, document, *place, chunk.sha256, chunk.text)
