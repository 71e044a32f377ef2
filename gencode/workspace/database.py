"""The database of the workspace: SQLite in DATA_DIR, or a schema of the service's PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from gencode.domain.errors import StartError, StoreError
from gencode.domain.phrase import Phrase
from gencode.storage.data_dir_lock import WORKSPACE_DATABASE
from gencode.storage.sqlite.schema import APPLICATION_ID
from gencode.workspace.migrations.revision import is_current
from gencode.workspace.tables import POSTGRES_SCHEMA, Base

BUSY_SECONDS = 5.0
"""How long a writer waits for another process, such as `gencode users`."""
POOL_SIZE = 4
UPGRADE_LOCK = 0x67656E77
"""The key of PostgreSQL's advisory lock that one process holds while it upgrades the tables."""


class Database:
    """Opens transactions.

    async with database.transaction() as session:
        session.add(User(...))

    A transaction is committed when its block ends, and rolled back when it raises. Errors of the database
    become StoreError; IntegrityError, which says that a value is taken, is raised by `flush` within the block
    and is for the caller.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._sessions.begin() as session:
                yield session
        except DBAPIError as error:
            raise StoreError(Phrase("the workspace's database refused: {orig}", orig=error.orig)) from error
        except SQLAlchemyError as error:
            raise StoreError(
                Phrase("the workspace's database cannot be used: {error}", error=error)
            ) from error


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Opens the database and upgrades its tables. `url`: see `sqlite_url` and `postgres_url`. Raises
    StartError."""
    engine = engine_of(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except SQLAlchemyError as error:
        await engine.dispose()
        raise StartError(f"the workspace's database cannot be opened: {error}") from error
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def existing_database(url: str) -> AsyncIterator[Database]:
    """Opens a database for reading, with its tables as they are."""
    engine = engine_of(url)
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


async def insert_if_absent(session: AsyncSession, table: type[Base], **values: Any) -> None:
    """Inserts a row unless one has its key, also if another transaction inserts it at the same time."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    await session.execute(insert(table).values(**values).on_conflict_do_nothing())


def sqlite_url(data_dir: Path) -> str:
    """The address of the database in this folder; only its owner can read the file."""
    with suppress(OSError):  # reported when the database is opened
        (data_dir / WORKSPACE_DATABASE).touch(mode=0o600)
    return f"sqlite+aiosqlite:///{data_dir / WORKSPACE_DATABASE}"


def postgres_url(dsn: str) -> str:
    """The address for SQLAlchemy of a PostgreSQL address such as postgresql://user@host/database."""
    _, separator, rest = dsn.partition("://")
    return f"postgresql+psycopg{separator}{rest}"


def engine_of(url: str, **options: Any) -> AsyncEngine:
    """`options`: more of those of `create_async_engine`. Nothing is connected yet."""
    if url.startswith("sqlite"):
        connect_args = {"timeout": BUSY_SECONDS}
        engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args=connect_args, **options)
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_immediately)
        return engine
    # Nothing is prepared on the server, so that a pooler of transactions may stand before it.
    engine = create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None},
        **options,
    )
    return engine.execution_options(schema_translate_map={None: POSTGRES_SCHEMA})


def _configure_sqlite(connection: Any, _record: object) -> None:
    """A rollback journal: versions of SQLite before 3.51.3 can corrupt a WAL database that more than one
    process writes, and `gencode users` works beside the service."""
    connection.isolation_level = None  # this module says when a transaction begins
    for statement in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {statement}")


def _begin_immediately(connection: Connection) -> None:
    """Takes the lock for writing first: a transaction that reads and then writes could not wait for it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {POSTGRES_SCHEMA}"))
    else:
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
    if not is_current(connection):
        import_module("gencode.workspace.migrations.upgrade").upgrade_tables(connection)
