"""Reads and writes of the index, each called within a transaction. They raise psycopg.Error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from gencode.domain.phrase import Phrase
from gencode.retrieval.chunk_rows import chunk_of
from gencode.retrieval.errors import EncoderIncomplete, EncoderMismatch
from gencode.retrieval.port import EncoderInfo
from gencode.retrieval.postgres import statements
from gencode.retrieval.postgres.schema import tsvector
from gencode.retrieval.records import (
    Chunk,
    ChunkRef,
    DocumentEntry,
    EncoderState,
    IndexedDocument,
    IndexState,
)
from gencode.retrieval.tokens import index_terms
from gencode.retrieval.vectors import check_sizes
from gencode.storage.postgres.array_parameters import BigintArray, TextArray, chunks, columns
from gencode.storage.postgres.connection import Connection
from gencode.storage.rows import Row


async def apply(
    connection: Connection, base: str, put: Sequence[IndexedDocument], remove: Sequence[str]
) -> int:
    """See `RetrievalIndex.apply`. Writers of a base wait for each other."""
    number, position = await _locked_base(connection, base)
    changed = 0
    for name in remove:
        changed += await connection.run(statements.REMOVE, (number, name))
    for document in put:
        changed += await _put(connection, number, position + 1, document)
    return await _moved(connection, number) if changed else position


async def drop(connection: Connection, base: str) -> None:
    await connection.run(statements.DROP_BASE, (base,))


async def add_encoder(connection: Connection, base: str, encoder: EncoderInfo) -> None:
    number, _ = await _locked_base(connection, base)
    known = await encoder_row(connection, number, encoder.id)
    if known and known[1] != encoder.dimensions:
        raise EncoderMismatch(f"{encoder.id} has {known[1]} dimensions in this base: give it another version")
    if not known:
        await connection.run(statements.ADD_ENCODER, (number, encoder.id, encoder.dimensions))
        await _moved(connection, number)


async def store_vectors(
    connection: Connection, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]
) -> int:
    number, key, dimensions = await _known_encoder(connection, base, encoder)
    check_sizes(vectors.values(), dimensions)
    rows = [(ref.document, ref.ordinal, ref.sha256, vector.hex()) for ref, vector in vectors.items()]
    for part in chunks(rows):
        made = columns(part, ("text", "bigint", "text", "text"))
        await connection.run(statements.STORE_VECTORS, (key, *made, number))
    return await _moved(connection, number)


async def activate(connection: Connection, base: str, encoder: str) -> None:
    number, key, _ = await _known_encoder(connection, base, encoder)
    if await connection.fetch(
        statements.UNENCODED, {"base": number, "encoder": key, "limit": 1, "document": None}
    ):
        raise EncoderIncomplete(
            Phrase("chunks without a vector of {encoder} remain: encode them first", encoder=encoder)
        )
    await connection.run(statements.DELETE_OTHER_ENCODERS, (number, key))
    await connection.run(statements.ACTIVATE, (key,))
    await _moved(connection, number)


async def state(connection: Connection, base: str) -> IndexState:
    found = await base_position(connection, base)
    if not found:
        return IndexState(position=0, documents=0, chunks=0)
    number, position = found
    ((documents, count),) = await connection.fetch(statements.COUNTS, {"base": number})
    encoders = tuple(
        EncoderState(encoder=name, dimensions=dimensions, encoded=encoded, is_active=is_active)
        for name, dimensions, encoded, is_active in await connection.fetch(statements.ENCODERS, (number,))
    )
    return IndexState(position=position, documents=documents, chunks=count, encoders=encoders)


async def documents(connection: Connection, base: str) -> list[DocumentEntry]:
    found = await base_position(connection, base)
    rows = await connection.fetch(statements.DOCUMENTS, found[:1]) if found else ()
    return [
        DocumentEntry(id=name, sha256=sha256, chunker=chunker, chunks=count, position=position)
        for name, sha256, chunker, count, position in rows
    ]


async def document_chunks(
    connection: Connection, base: str, document: str, first: int, limit: int
) -> list[Chunk]:
    found = await base_position(connection, base)
    values = (found[0], document, first, limit) if found else ()
    rows = await connection.fetch(statements.CHUNKS, values) if values else ()
    return [chunk_of(row) for row in rows]


async def find(connection: Connection, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
    place = await base_position(connection, base)
    if not (place and refs):
        return {}
    wanted = columns([(ref.document, ref.ordinal, ref.sha256) for ref in refs], ("text", "bigint", "text"))
    rows = await connection.fetch(statements.FIND, (*wanted, place[0]))
    found = {chunk.ref: chunk for chunk in map(chunk_of, rows)}
    return {ref: found[ref] for ref in refs if ref in found}


async def unencoded(
    connection: Connection, base: str, encoder: str, limit: int, document: str | None = None
) -> list[Chunk]:
    found = await base_position(connection, base)
    if not found:
        return []
    known = await encoder_row(connection, found[0], encoder)
    values = {"base": found[0], "encoder": known[0] if known else 0, "limit": limit, "document": document}
    return [chunk_of(row) for row in await connection.fetch(statements.UNENCODED, values)]


async def chunks_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Chunk]:
    rows = await connection.fetch(statements.BY_ID, (BigintArray(sorted(ids)),))
    return {row[0]: chunk_of(row[1:]) for row in rows}


async def base_position(connection: Connection, base: str) -> tuple[int, int] | None:
    """The number and the position of a base."""
    rows = await connection.fetch(statements.BASE, (base,))
    return (rows[0][0], rows[0][1]) if rows else None


async def encoder_row(connection: Connection, base: int, encoder: str) -> tuple[int, int, bool] | None:
    """An encoder's number, its dimensions, and whether it is active."""
    rows = await connection.fetch(statements.ENCODER, (base, encoder))
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def text_array(names: Iterable[str] | None) -> TextArray | None:
    return None if names is None else TextArray(sorted(names))


async def _locked_base(connection: Connection, base: str) -> tuple[int, int]:
    """The number and the position of a base, which is created if it is missing."""
    await connection.run(statements.ADD_BASE, (base,))
    ((number, position),) = await connection.fetch(statements.LOCK_BASE, (base,))
    return number, position


async def _known_encoder(connection: Connection, base: str, encoder: str) -> tuple[int, int, int]:
    """The numbers of base and encoder, and the encoder's dimensions. The base is locked."""
    rows = await connection.fetch(statements.LOCK_BASE, (base,))
    known = await encoder_row(connection, rows[0][0], encoder) if rows else None
    if not known:
        raise EncoderMismatch(f"the base has no encoder {encoder}: add it first")
    return rows[0][0], known[0], known[1]


async def _moved(connection: Connection, base: int) -> int:
    ((position,),) = await connection.fetch(statements.MOVE, (base,))
    return int(position)


async def _put(connection: Connection, base: int, position: int, document: IndexedDocument) -> bool:
    """Whether it was a change."""
    stored = await connection.fetch(statements.DOCUMENT, (base, document.id))
    if stored and tuple(stored[0]) == (document.sha256, document.chunker):
        return False
    await connection.run(statements.REMOVE, (base, document.id))
    values = (base, document.id, document.sha256, document.chunker, position)
    ((number,),) = await connection.fetch(statements.ADD_DOCUMENT, values)
    rows = [_chunk_row(base, number, chunk) for chunk in document.chunks]
    for part in chunks(rows):
        await connection.run(statements.ADD_CHUNKS, columns(part, statements.CHUNK_TYPES))
    return True


def _chunk_row(base: int, document: int, chunk: Chunk) -> Row:
    terms = index_terms(chunk.text)
    place = (chunk.ordinal, chunk.start, chunk.page, json.dumps(chunk.page_breaks))
    return (base, document, *place, chunk.sha256, chunk.text, len(terms), tsvector(base, terms))
