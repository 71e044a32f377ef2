"""See `open_sqlite_index`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from gencode.domain.errors import GencodeError, StoreError
from gencode.domain.phrase import Phrase
from gencode.retrieval.port import EncoderInfo, RetrievalIndex
from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    DocumentEntry,
    IndexedDocument,
    IndexState,
    SearchRequest,
)
from gencode.retrieval.sqlite import reads, writes
from gencode.retrieval.sqlite.schema import prepare
from gencode.retrieval.vectors import CACHED_BYTES, MatrixCache
from gencode.storage.batch_scheduler import Outcome, ThreadScheduler
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.errors import commit_error, store_error

Operation = Callable[[sqlite3.Connection], Any]


class SQLiteIndex(RetrievalIndex):
    """See `open_sqlite_index`."""

    def __init__(self, scheduler: ThreadScheduler[Operation, Operation], cached_bytes: int) -> None:
        self._scheduler = scheduler
        self._cache = MatrixCache(cached_bytes)

    async def apply(
        self, base: str, *, put: Sequence[IndexedDocument] = (), remove: Sequence[str] = ()
    ) -> int:
        position: int = await self._write(writes.apply, base, put, remove)
        return position

    async def drop(self, base: str) -> None:
        await self._write(writes.drop, base)

    async def state(self, base: str) -> IndexState:
        state: IndexState = await self._read(reads.state, base)
        return state

    async def documents(self, base: str) -> list[DocumentEntry]:
        entries: list[DocumentEntry] = await self._read(reads.documents, base)
        return entries

    async def chunks(self, base: str, document: str, *, first: int = 0, limit: int = 100) -> list[Chunk]:
        chunks: list[Chunk] = await self._read(reads.chunks, base, document, first, limit)
        return chunks

    async def find(self, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
        found: dict[ChunkRef, Chunk] = await self._read(reads.find, base, refs)
        return found

    async def search(self, request: SearchRequest) -> Candidates:
        candidates: Candidates = await self._read(reads.search, self._cache, request)
        return candidates

    async def add_encoder(self, base: str, encoder: EncoderInfo) -> None:
        await self._write(writes.add_encoder, base, encoder)

    async def unencoded(
        self, base: str, encoder: str, limit: int, document: str | None = None
    ) -> list[Chunk]:
        chunks: list[Chunk] = await self._read(reads.unencoded, base, encoder, limit, document)
        return chunks

    async def store_vectors(self, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]) -> int:
        position: int = await self._write(writes.store_vectors, base, encoder, vectors)
        return position

    async def activate(self, base: str, encoder: str) -> None:
        await self._write(writes.activate, base, encoder)

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        return await self._scheduler.write(lambda connection: write(connection, *arguments))

    async def _read(self, read: Callable[..., Any], *arguments: Any) -> Any:
        return await self._scheduler.read(lambda connection: read(connection, *arguments))


@asynccontextmanager
async def open_sqlite_index(
    path: Path, *, busy_timeout: float = 5.0, limit: int = 1_000, cached_bytes: int = CACHED_BYTES
) -> AsyncIterator[SQLiteIndex]:
    """The index in this file, made if missing; its folder must exist. Leaving waits for running calls.

    busy_timeout   seconds to wait for a lock that another program holds on the file
    limit          most calls that may wait; more raise StoreError
    cached_bytes   most memory for the vectors of the bases that were searched last

    One connection on one thread: writes and reads alternate. Raises StoreUnusable.
    """
    call = asyncio.get_running_loop().run_in_executor
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="retrieval") as thread:
        with anyio.CancelScope(shield=True):
            connection = await call(thread, partial(connect, path, busy_timeout, prepare))
        scheduler: ThreadScheduler[Operation, Operation] = ThreadScheduler(
            partial(_run_writes, connection), partial(_run_read, connection), thread, limit
        )
        try:
            yield SQLiteIndex(scheduler, cached_bytes)
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await scheduler.close()
                finally:
                    await call(thread, connection.close)


def _run_writes(connection: sqlite3.Connection, operations: Sequence[Operation]) -> list[Outcome]:
    """Each in a transaction of its own."""
    return [_run_write(connection, operation) for operation in operations]


def _run_write(connection: sqlite3.Connection, operation: Operation) -> Outcome:
    try:
        connection.execute("BEGIN IMMEDIATE")
        value = operation(connection)
    except Exception as error:
        _roll_back(connection)
        return Outcome(error=_ours(error))
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        return Outcome(error=commit_error(error))
    return Outcome(value=value)


def _run_read(connection: sqlite3.Connection, operation: Operation) -> Outcome:
    try:
        return Outcome(value=operation(connection))
    except Exception as error:
        return Outcome(error=_ours(error))


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _ours(error: Exception) -> Exception:
    if isinstance(error, GencodeError):
        return error
    return (
        store_error(error)
        if isinstance(error, sqlite3.Error)
        else StoreError(Phrase("the index failed: {error!r}", error=error))
    )
