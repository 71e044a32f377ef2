"""See `open_postgres_index`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import psycopg

from gencode.retrieval.port import EncoderInfo, RetrievalIndex
from gencode.retrieval.postgres import operations, statements
from gencode.retrieval.postgres.schema import prepare, tsquery
from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    ChunkScore,
    DocumentEntry,
    IndexedDocument,
    IndexState,
    SearchRequest,
)
from gencode.retrieval.vectors import CACHED_BYTES, MatrixCache, VectorMatrix, vector_matrix
from gencode.storage.batch_scheduler import BatchScheduler, Outcome
from gencode.storage.postgres.array_parameters import TextArray
from gencode.storage.postgres.connection import Connection
from gencode.storage.postgres.errors import commit_error, store_error
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.postgres.schedulers import open_schedulers

Operation = Callable[[Connection], Awaitable[Any]]


class PostgresIndex(RetrievalIndex):
    """See `open_postgres_index`."""

    def __init__(self, write: BatchScheduler, read: BatchScheduler, cached_bytes: int) -> None:
        self._writes = write
        self._reads = read
        self._cache = MatrixCache(cached_bytes)

    async def apply(
        self, base: str, *, put: Sequence[IndexedDocument] = (), remove: Sequence[str] = ()
    ) -> int:
        position: int = await self._write(operations.apply, base, put, remove)
        return position

    async def drop(self, base: str) -> None:
        await self._write(operations.drop, base)

    async def state(self, base: str) -> IndexState:
        state: IndexState = await self._read(operations.state, base)
        return state

    async def documents(self, base: str) -> list[DocumentEntry]:
        entries: list[DocumentEntry] = await self._read(operations.documents, base)
        return entries

    async def chunks(self, base: str, document: str, *, first: int = 0, limit: int = 100) -> list[Chunk]:
        chunks: list[Chunk] = await self._read(operations.document_chunks, base, document, first, limit)
        return chunks

    async def find(self, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
        found: dict[ChunkRef, Chunk] = await self._read(operations.find, base, refs)
        return found

    async def search(self, request: SearchRequest) -> Candidates:
        candidates: Candidates = await self._read(self._search, request)
        return candidates

    async def add_encoder(self, base: str, encoder: EncoderInfo) -> None:
        await self._write(operations.add_encoder, base, encoder)

    async def unencoded(
        self, base: str, encoder: str, limit: int, document: str | None = None
    ) -> list[Chunk]:
        chunks: list[Chunk] = await self._read(operations.unencoded, base, encoder, limit, document)
        return chunks

    async def store_vectors(self, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]) -> int:
        position: int = await self._write(operations.store_vectors, base, encoder, vectors)
        return position

    async def activate(self, base: str, encoder: str) -> None:
        await self._write(operations.activate, base, encoder)

    async def _write(self, write: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return await self._writes.call(lambda connection: write(connection, *arguments))

    async def _read(self, read: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return await self._reads.call(
            lambda connection: _consistent(connection, lambda: read(connection, *arguments))
        )

    async def _search(self, connection: Connection, request: SearchRequest) -> Candidates:
        found = await operations.base_position(connection, request.base)
        if not found:
            return Candidates(position=0)
        by_text = await _by_text(connection, found[0], request) if request.terms else []
        by_vector = await self._by_vector(connection, found, request)
        ids = {score.chunk for score in (*by_text, *by_vector)}
        chunks = await operations.chunks_by_id(connection, ids)
        return Candidates(position=found[1], by_text=by_text, by_vector=by_vector, chunks=chunks)

    async def _by_vector(
        self, connection: Connection, found: tuple[int, int], request: SearchRequest
    ) -> list[ChunkScore]:
        encoder = await operations.encoder_row(connection, found[0], request.encoder or "")
        if request.vector is None or encoder is None or not encoder[2]:
            return []
        matrix = await self._matrix(connection, found, encoder)
        arguments = (request.vector, request.documents, request.limit)
        nearest = await anyio.to_thread.run_sync(matrix.nearest, *arguments)
        return [ChunkScore(chunk=chunk, score=score) for chunk, score in nearest]

    async def _matrix(
        self, connection: Connection, found: tuple[int, int], encoder: tuple[int, int, bool]
    ) -> VectorMatrix:
        base, position = found
        if cached := self._cache.find(base, position):
            return cached
        rows = await connection.fetch(statements.VECTORS, {"base": base, "encoder": encoder[0]})
        typed = ((int(chunk), str(document), bytes(vector)) for chunk, document, vector in rows)
        return self._cache.add(base, position, vector_matrix(typed, encoder[1]))


@asynccontextmanager
async def open_postgres_index(
    dsn: str,
    *,
    readers: int = 2,
    patience: float = 5.0,
    limit: int = 1_000,
    cached_bytes: int = CACHED_BYTES,
) -> AsyncIterator[PostgresIndex]:
    """The index in this database, whose tables are made if they are missing. Leaving waits for running calls.

    readers        most connections for reads; one more is for writes
    patience       seconds that calls wait for an unreachable database before StoreError
    limit          most calls that may wait; more raise StoreError
    cached_bytes   most memory for the vectors of the bases that were searched last

    Raises StoreUnusable.
    """
    async with open_schedulers(
        dsn, prepare, _run_write, readers=readers, patience=patience, limit=limit, batch_size=1
    ) as (write, read):
        yield PostgresIndex(write, read, cached_bytes)


async def _run_write(writer: ReconnectingConnection, batch: Sequence[Operation]) -> list[Outcome]:
    """Runs one operation in a transaction."""
    try:
        connection = await writer.use(Connection.begin)
    except psycopg.Error as error:
        return [Outcome(error=store_error(error))]
    with connection.limited():
        try:
            value = await batch[0](connection)
        except Exception as error:
            await connection.roll_back()
            is_database = isinstance(error, psycopg.Error)
            return [Outcome(error=store_error(error) if is_database else error)]  # type: ignore[arg-type]
        try:
            await connection.commit()
        except psycopg.Error as error:
            failure = commit_error(error, is_lost=connection.is_lost)
            await connection.roll_back()
            return [Outcome(error=failure)]
    return [Outcome(value=value)]


async def _consistent(connection: Connection, read: Callable[[], Awaitable[Any]]) -> Any:
    """Runs a read in a transaction whose statements see the same state."""
    await connection.raw.execute(statements.BEGIN_READ.encode())
    try:
        return await read()
    finally:
        await connection.roll_back()


async def _by_text(connection: Connection, base: int, request: SearchRequest) -> list[ChunkScore]:
    values = {
        "base": base,
        "queries": TextArray(tsquery(base, term) for term in request.terms),
        "documents": operations.text_array(request.documents),
        "limit": request.limit,
    }
    rows = await connection.fetch(statements.BY_TEXT, values)
    return [ChunkScore(chunk=chunk, score=score) for chunk, score in rows]
