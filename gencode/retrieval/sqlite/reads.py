"""The reads of the index. A read is one call in the thread of the connection, so that it is consistent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from gencode.retrieval.chunk_rows import CHUNK_COLUMNS, chunk_of
from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    ChunkScore,
    DocumentEntry,
    EncoderState,
    IndexState,
    SearchRequest,
)
from gencode.retrieval.tokens import PREFIX
from gencode.retrieval.vectors import MatrixCache, VectorMatrix, vector_matrix

_FROM_CHUNKS = f"SELECT {CHUNK_COLUMNS} FROM chunks JOIN documents ON documents.id = document"  # noqa: S608
_BY_PLACE = "ORDER BY documents.name, ordinal"
_DOCUMENTS = (
    "SELECT name, sha256, chunker, (SELECT count(*) FROM chunks WHERE document = documents.id), position"
    " FROM documents WHERE base = ? ORDER BY name"
)
_ENCODERS = (
    "SELECT name, dimensions, (SELECT count(*) FROM vectors WHERE encoder = encoders.id), is_active"
    " FROM encoders WHERE base = ? ORDER BY id"
)
_UNENCODED = (
    f"{_FROM_CHUNKS} WHERE chunks.base = ?1 AND NOT EXISTS (SELECT 1 FROM vectors WHERE chunk = chunks.id"  # noqa: S608
    " AND encoder = (SELECT id FROM encoders WHERE base = chunks.base AND name = ?2))"
    f" AND (?4 IS NULL OR documents.name = ?4) {_BY_PLACE} LIMIT ?3"
)
_BY_TEXT = (
    "SELECT chunks.id, -bm25(text_{base:d}) AS score FROM text_{base:d}"
    " JOIN chunks ON chunks.id = text_{base:d}.rowid JOIN documents ON documents.id = document"
    " WHERE text_{base:d} MATCH ?{condition} ORDER BY score DESC, documents.name, ordinal LIMIT ?"
)
_IN_DOCUMENTS = " AND documents.name IN (SELECT value FROM json_each(?))"
_VECTORS = (
    "SELECT chunks.id, documents.name, vector FROM vectors JOIN chunks ON chunks.id = chunk"  # noqa: S608
    " JOIN documents ON documents.id = document WHERE encoder = ?1 AND documents.id NOT IN (SELECT document"
    " FROM chunks WHERE base = ?2 AND NOT EXISTS"
    " (SELECT 1 FROM vectors WHERE chunk = chunks.id AND encoder = ?1))"
    f" {_BY_PLACE}"
)
_COUNTS = (
    "SELECT (SELECT count(*) FROM documents WHERE base = ?1), (SELECT count(*) FROM chunks WHERE base = ?1)"
)


def base_position(connection: sqlite3.Connection, base: str) -> tuple[int, int] | None:
    """The number and the position of a base."""
    found = connection.execute("SELECT id, position FROM bases WHERE name = ?", (base,)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def encoder_row(connection: sqlite3.Connection, base: int, encoder: str) -> tuple[int, int, bool] | None:
    """An encoder's number, its dimensions, and whether it is active."""
    sql = "SELECT id, dimensions, is_active FROM encoders WHERE base = ? AND name = ?"
    found = connection.execute(sql, (base, encoder)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]), bool(found[2]))


def state(connection: sqlite3.Connection, base: str) -> IndexState:
    found = base_position(connection, base)
    if not found:
        return IndexState(position=0, documents=0, chunks=0)
    number, position = found
    documents, chunks = connection.execute(_COUNTS, (number,)).fetchone()
    encoders = tuple(
        EncoderState(encoder=name, dimensions=dimensions, encoded=encoded, is_active=bool(is_active))
        for name, dimensions, encoded, is_active in connection.execute(_ENCODERS, (number,))
    )
    return IndexState(position=position, documents=documents, chunks=chunks, encoders=encoders)


def documents(connection: sqlite3.Connection, base: str) -> list[DocumentEntry]:
    found = base_position(connection, base)
    rows = connection.execute(_DOCUMENTS, found[:1]) if found else ()
    return [
        DocumentEntry(id=name, sha256=sha256, chunker=chunker, chunks=chunks, position=position)
        for name, sha256, chunker, chunks, position in rows
    ]


def chunks(connection: sqlite3.Connection, base: str, document: str, first: int, limit: int) -> list[Chunk]:
    found = base_position(connection, base)
    if not found:
        return []
    sql = f"{_FROM_CHUNKS} WHERE documents.base = ? AND name = ? AND ordinal >= ? {_BY_PLACE} LIMIT ?"
    return [chunk_of(row) for row in connection.execute(sql, (found[0], document, first, limit))]


def find(connection: sqlite3.Connection, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
    place = base_position(connection, base)
    if not place:
        return {}
    sql = f"{_FROM_CHUNKS} WHERE documents.base = ? AND name = ? AND ordinal = ? AND chunks.sha256 = ?"
    found: dict[ChunkRef, Chunk] = {}
    for ref in refs:
        values = (place[0], ref.document, ref.ordinal, ref.sha256)
        found.update((ref, chunk_of(row)) for row in connection.execute(sql, values))
    return found


def unencoded(
    connection: sqlite3.Connection, base: str, encoder: str, limit: int, document: str | None
) -> list[Chunk]:
    found = base_position(connection, base)
    rows = connection.execute(_UNENCODED, (found[0], encoder, limit, document)) if found else ()
    return [chunk_of(row) for row in rows]


def search(connection: sqlite3.Connection, cache: MatrixCache, request: SearchRequest) -> Candidates:
    found = base_position(connection, request.base)
    if not found:
        return Candidates(position=0)
    by_text = _by_text(connection, found[0], request) if request.terms else []
    by_vector = _by_vector(connection, cache, found, request)
    ids = {score.chunk for score in (*by_text, *by_vector)}
    return Candidates(
        position=found[1], by_text=by_text, by_vector=by_vector, chunks=_chunks_by_id(connection, ids)
    )


def _by_text(connection: sqlite3.Connection, base: int, request: SearchRequest) -> list[ChunkScore]:
    values: list[Any] = [match_expression(request.terms)]
    condition = ""
    if request.documents is not None:
        condition = _IN_DOCUMENTS
        values.append(json.dumps(sorted(request.documents)))
    sql = _BY_TEXT.format(base=base, condition=condition)
    rows = connection.execute(sql, (*values, request.limit))
    return [ChunkScore(chunk=chunk, score=score) for chunk, score in rows]


def _by_vector(
    connection: sqlite3.Connection, cache: MatrixCache, place: tuple[int, int], request: SearchRequest
) -> list[ChunkScore]:
    if request.encoder is None or request.vector is None:
        return []
    base, position = place
    encoder = encoder_row(connection, base, request.encoder)
    if encoder is None or not encoder[2]:
        return []
    number, dimensions, _ = encoder

    def load() -> VectorMatrix:
        return vector_matrix(connection.execute(_VECTORS, (number, base)), dimensions)

    matrix = cache.get(base, position, load)
    found = matrix.nearest(request.vector, request.documents, request.limit)
    return [ChunkScore(chunk=chunk, score=score) for chunk, score in found]


def match_expression(terms: Sequence[str]) -> str:
    """Any of the terms, as FTS5 expects it: `"软件" OR "税"*`."""
    quoted = (f'"{term.removesuffix(PREFIX)}"*' if term.endswith(PREFIX) else f'"{term}"' for term in terms)
    return " OR ".join(quoted)


def _chunks_by_id(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Chunk]:
    sql = (
        f"SELECT chunks.id, {CHUNK_COLUMNS} FROM chunks JOIN documents ON documents.id = document"  # noqa: S608
        " WHERE chunks.id IN (SELECT value FROM json_each(?))"
    )
    return {row[0]: chunk_of(row[1:]) for row in connection.execute(sql, (json.dumps(sorted(ids)),))}
