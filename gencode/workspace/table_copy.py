"""Copies all tables of the workspace to another database, as `Base.metadata` has them.

A JSON value is copied as the text that is stored, and an encrypted one unchanged: it is bound to the row's id
and owner, which stay, too. U+0000, which PostgreSQL's texts cannot hold, becomes U+FFFD.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    bindparam,
    collate,
    func,
    inspect,
    null,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import gencode.workspace.routes  # noqa: F401 - with these, all tables are known
from gencode.domain.errors import StoreUnusable
from gencode.storage.table_copy import PAGE_ROWS, Report, RowDigests, TableDigest
from gencode.workspace.database import engine_of, open_database
from gencode.workspace.tables import POSTGRES_SCHEMA, Base

TABLES: Sequence[Table] = Base.metadata.sorted_tables
"""A table follows those that it refers to."""
VERSION_TABLE = "alembic_version"
FILES_PER_PAGE = 4
TEXTS_PER_PAGE = 100
"""Rows that are read and stored at once, where they hold whole files, or texts; else PAGE_ROWS."""

Values = dict[str, Any]


class WorkspaceTables:
    """All rows of a workspace. Raises StoreUnusable. See `open_workspace_tables`."""

    def __init__(self, engine: AsyncEngine, place: str) -> None:
        self._engine = engine
        self._place = place

    async def check_known(self) -> None:
        """Refuses a database with a table that would be left behind."""
        async with self._connection() as connection:
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        unknown = {*names} - {table.name for table in TABLES} - {VERSION_TABLE}
        if unknown:
            raise StoreUnusable(f"{self._place} has tables that this version does not know: {min(unknown)}")

    async def check_empty(self) -> None:
        for table in TABLES:
            if await self.count(table):
                raise StoreUnusable(
                    f"{self._place} has a workspace of its own (rows in {table.name}): name an empty database"
                    " in DATABASE_URL"
                )

    async def count(self, table: Table) -> int:
        async with self._connection() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

    async def digests(self, step: str, report: Report, prefix: str) -> dict[str, TableDigest]:
        """By the names of all tables, after the prefix."""
        return {f"{prefix}{table.name}": await self._digest(table, step, report) for table in TABLES}

    async def _digest(self, table: Table, step: str, report: Report) -> TableDigest:
        total, found = await self.count(table), RowDigests()
        async for page in self.pages(table):
            for row in page:
                found.add(_row_digest(row))
            report(step, table.name, found.rows, total)
        return found.result()

    async def pages(self, table: Table, skipped: int = 0) -> AsyncIterator[Sequence[Values]]:
        """The rows, without the first ones, some at a time."""
        page = await self._page(self._ordered(table).limit(_page_rows(table)).offset(skipped))
        while page:
            yield page
            page = await self._page(self._ordered(table, page[-1]).limit(_page_rows(table)))

    async def put(self, table: Table, page: Sequence[Values]) -> None:
        """Store rows that follow those that are there, in one transaction."""
        documents = [column.name for column in table.columns if isinstance(column.type, JSON)]
        rows = [row | {name: null() for name in documents if row[name] is None} for row in page]
        async with self._connection(f"rows of {table.name} cannot be stored: ") as connection:
            await connection.execute(table.insert(), rows)
            await connection.commit()

    async def set_sequences(self) -> None:
        """New rows follow those that were stored."""
        async with self._connection() as connection:
            for table in TABLES:
                column = table.autoincrement_column
                if column is not None and (last := await connection.scalar(select(func.max(column)))):
                    place = f"{POSTGRES_SCHEMA}.{table.name}"
                    await connection.execute(
                        text("SELECT setval(pg_get_serial_sequence(:place, :column), :last)"),
                        {"place": place, "column": column.name, "last": last},
                    )
            await connection.commit()

    async def _page(self, query: Select[Any]) -> Sequence[Values]:
        async with self._connection() as connection:
            rows = (await connection.execute(query)).all()
        return [{name: _storable(value) for name, value in row._mapping.items()} for row in rows]

    def _ordered(self, table: Table, after: Values | None = None) -> Select[Any]:
        """By the primary key; texts by their bytes, so that the order is the same in both databases. `after`:
        the row before the first one."""
        columns = table.primary_key.columns
        keys = [self._by_bytes(column) for column in columns]
        query = select(table).order_by(*keys)
        if after is None:
            return query
        last = tuple_(*(bindparam(None, after[column.name], type_=column.type) for column in columns))
        return query.where(tuple_(*keys) > last)

    def _by_bytes(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        is_postgres = self._engine.dialect.name == "postgresql"
        return collate(column, "C") if is_postgres and isinstance(column.type, String) else column

    @asynccontextmanager
    async def _connection(self, doing: str = "") -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreUnusable(f"{self._place} cannot be used: {doing}{_reason(error)}") from error


@asynccontextmanager
async def open_workspace_tables(url: str, place: str) -> AsyncIterator[WorkspaceTables]:
    """The tables of this database, made or brought to the newest schema. Nobody else uses it.

    url    see gencode.workspace.database
    place  names the database in messages

    Raises StartError.
    """
    async with open_database(url):
        pass
    engine = engine_of(url, json_serializer=_text, json_deserializer=_text)
    try:
        yield WorkspaceTables(engine, place)
    finally:
        await engine.dispose()


def _text(document: str | bytes | None) -> str | None:
    """A JSON value is the text that the database has. Drivers give bytes, too."""
    return bytes(document).decode() if isinstance(document, (bytes, bytearray, memoryview)) else document


def _page_rows(table: Table) -> int:
    types = [column.type for column in table.columns]
    if any(isinstance(one, LargeBinary) for one in types):
        return FILES_PER_PAGE
    return TEXTS_PER_PAGE if any(isinstance(one, (Text, JSON)) for one in types) else PAGE_ROWS


def _storable(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _row_digest(row: Values) -> bytes:
    return hashlib.sha256(b"".join([_part(value) for value in row.values()])).digest()


def _part(value: Any) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, datetime):
        value = value.isoformat()
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"%d:%b" % (len(data), data)


def _reason(error: SQLAlchemyError) -> str:
    """The first line: what follows can show the row."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(original).partition("\n")[0]
