"""`gencode migrate` takes a workspace along: accounts, stored keys, documents, their index, the audit log."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from gencode.bootstrap import extra_imports
from gencode.bootstrap.data_dir_migration import migrate_data_dir
from gencode.bootstrap.workspace import verify_audit_log
from gencode.domain.errors import StartError, StoreUnusable
from gencode.domain.task import State
from gencode.retrieval.index_tables import INDEX_TABLES
from gencode.retrieval.port import EncoderInfo, RetrievalIndex
from gencode.retrieval.postgres.index import open_postgres_index
from gencode.retrieval.sqlite.index import open_sqlite_index
from gencode.retrieval.vectors import to_half
from gencode.settings import DatabaseSettings
from gencode.storage import table_copy
from gencode.storage.data_dir_lock import (
    DATABASE,
    ENCRYPTION_KEY_FILE,
    MOVED,
    RETRIEVAL_DATABASE,
    WORKSPACE_DATABASE,
)
from gencode.storage.sqlite.store import open_sqlite
from gencode.workspace import table_copy as workspace_copy
from gencode.workspace.database import existing_database, open_database, postgres_url, sqlite_url
from gencode.workspace.system_log.table import SystemLogEntry
from gencode.workspace.table_copy import TABLES
from gencode.workspace.tables import now
from tests.contract.test_retrieval_index import ask, document
from tests.e2e.test_knowledge import CHINESE, ENGLISH, a_base, a_config, active, add, chosen, search, settled
from tests.e2e.test_migrate import JOBS, Killed, killed_after_copying, quiet, rows
from tests.e2e.workspace_rows import fill
from tests.servers.command import gencode
from tests.servers.embeddings import embeddings_server
from tests.servers.service import running_app
from tests.unit.storage.samples import a_task

pytestmark = [pytest.mark.campaign, pytest.mark.one_process("it has a database of its own")]

ROWS = 6
ENCODER = EncoderInfo(name="e", version="1", dimensions=3)


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """Rows in each table of the workspace and of the index, and a chat that has not ended."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    async with open_sqlite(folder / DATABASE) as store:
        await store.create(a_task(kind="chat", state=State.QUEUED), {}, [])
    await fill(folder, ROWS)
    async with open_sqlite_index(folder / RETRIEVAL_DATABASE) as index:
        await index.apply("gone", put=[document("x", "text")])
        await index.drop("gone")
        for base, encoded in (("a", 2), ("b", 3)):
            named = [document(f"{n} \x01", f"软件工程 {n} \0 \x01 text") for n in range(3)]
            await index.apply(base, put=named)
            await index.add_encoder(base, ENCODER)
            await encode(index, base, encoded)
        await index.activate("b", ENCODER.id)
    return folder


async def encode(index: RetrievalIndex, base: str, limit: int) -> None:
    (vector,) = to_half([[1, 2, 3]], 3)
    chunks = await index.unencoded(base, ENCODER.id, limit)
    await index.store_vectors(base, ENCODER.id, {chunk.ref: vector for chunk in chunks})


async def check_all_is_there(data_dir: Path, dsn: str) -> None:
    assert await contents(postgres_url(dsn)) == await contents(sqlite_url(data_dir))
    async with (
        open_sqlite_index(data_dir / RETRIEVAL_DATABASE) as before,
        open_postgres_index(dsn) as copied,
    ):
        for base in ("gone", "a", "b"):
            assert await index_content(copied, base) == await index_content(before, base)


async def contents(url: str) -> dict[str, list[str]]:
    """The rows of each table by its name, as text; U+0000 as PostgreSQL's texts can hold it."""
    found = {}
    async with existing_database(url) as database, database.transaction() as session:
        for table in TABLES:
            read = (await session.execute(select(table))).all()
            found[table.name] = sorted(repr(row) for row in read)
    return found


async def index_content(index: RetrievalIndex, base: str) -> list[Any]:
    documents = await index.documents(base)
    chunks = [await index.chunks(base, entry.id) for entry in documents]
    unencoded = await index.unencoded(base, ENCODER.id, 100)
    return [await index.state(base), documents, chunks, unencoded, await ask(index, "软件", base=base)]


async def test_all_rows_of_all_tables_are_there_afterwards(data_dir: Path, postgres: str) -> None:
    done = await migrate_data_dir(data_dir, postgres, quiet)
    counts = {name: table.rows for name, table in done.tables.items() if "." in name}
    of_index = {f"index.{table.name}": n for table, n in zip(INDEX_TABLES, (2, 6, 6, 2, 5), strict=True)}
    assert counts == {f"workspace.{table.name}": ROWS for table in TABLES} | of_index
    await check_all_is_there(data_dir, postgres)
    assert (done.queued, len(await rows(postgres, JOBS))) == (1, 1)
    assert not done.continued


async def test_new_rows_follow_those_that_were_copied(data_dir: Path, postgres: str) -> None:
    await migrate_data_dir(data_dir, postgres, quiet)
    async with open_database(postgres_url(postgres)) as database, database.transaction() as session:
        last = await session.scalar(select(func.max(SystemLogEntry.position)))
        entry = SystemLogEntry(at=now(), level="ERROR", message="new", module="test", extra={})
        session.add(entry)
        await session.flush()
        assert entry.position == (last or 0) + 1
    async with open_postgres_index(postgres) as index:
        await index.apply("c", put=[document("new", "another text")])
        await index.add_encoder("c", ENCODER)
        assert await ask(index, "another", base="c") == [("new", 0)]


async def test_it_goes_on_after_it_was_killed_anywhere(
    data_dir: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt gets some reports further than the one before."""
    monkeypatch.setattr(table_copy, "PAGE_ROWS", 4)
    for name in ("PAGE_ROWS", "TEXTS_PER_PAGE"):
        monkeypatch.setattr(workspace_copy, name, 4)
    attempts, done = 0, None
    while done is None:
        attempts += 1
        left = 12 * attempts

        def report(step: str, table: str, done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        with suppress(Killed):
            done = await migrate_data_dir(data_dir, postgres, report)
    assert done.continued
    assert attempts > 8
    await check_all_is_there(data_dir, postgres)


@pytest.mark.parametrize(
    ("place", "column", "table"),
    [
        ("gencode_workspace.audit_log", "actor", "workspace.audit_log"),
        ("gencode_workspace.uploads", "name", "workspace.uploads"),
        ("gencode_retrieval.chunks", "text", "index.chunks"),
    ],
)
async def test_a_row_that_differs_is_found(
    data_dir: Path, postgres: str, place: str, column: str, table: str
) -> None:
    """Here another program changes one after it was copied."""
    with pytest.raises(Killed):
        await migrate_data_dir(data_dir, postgres, killed_after_copying(table))
    changed = f"UPDATE {place} SET {column} = 'x' WHERE ctid = (SELECT ctid FROM {place} LIMIT 1) RETURNING 1"
    assert await rows(postgres, changed)
    with pytest.raises(StoreUnusable, match=f"the table {table} differs"):
        await migrate_data_dir(data_dir, postgres, quiet)
    assert not (data_dir / MOVED).exists()


async def test_a_part_of_a_folder_that_has_changed_is_refused(data_dir: Path, postgres: str) -> None:
    with pytest.raises(Killed):
        await migrate_data_dir(data_dir, postgres, killed_after_copying("workspace.users"))
    with closing(sqlite3.connect(data_dir / WORKSPACE_DATABASE)) as connection, connection:
        connection.execute("UPDATE users SET nickname = 'new'")
    with pytest.raises(StoreUnusable, match="before it changed"):
        await migrate_data_dir(data_dir, postgres, quiet)


async def test_a_database_with_a_workspace_or_an_index_is_refused(data_dir: Path, postgres: str) -> None:
    async with open_postgres_index(postgres) as index:
        await index.apply("a", put=[document("x", "text")])
    with pytest.raises(StoreUnusable, match="knowledge bases of its own"):
        await migrate_data_dir(data_dir, postgres, quiet)
    async with open_database(postgres_url(postgres)) as database, database.transaction() as session:
        session.add(SystemLogEntry(at=now(), level="ERROR", message="m", module="test", extra={}))
    with pytest.raises(StoreUnusable, match=r"a workspace of its own \(rows in system_log\)"):
        await migrate_data_dir(data_dir, postgres, quiet)
    assert not (data_dir / MOVED).exists()


async def test_a_table_that_this_version_does_not_know_is_refused(data_dir: Path, postgres: str) -> None:
    with closing(sqlite3.connect(data_dir / WORKSPACE_DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE of_a_later_version (id)")
    with pytest.raises(StoreUnusable, match="does not know: of_a_later_version"):
        await migrate_data_dir(data_dir, postgres, quiet)


async def test_a_row_that_postgresql_does_not_take_is_told(data_dir: Path, postgres: str) -> None:
    """SQLite has no limits of texts."""
    with closing(sqlite3.connect(data_dir / WORKSPACE_DATABASE)) as connection, connection:
        connection.execute("UPDATE uploads SET name = printf('%.*c', 300, 'x')")
    with pytest.raises(StoreUnusable, match=r"rows of uploads cannot be stored: value too long"):
        await migrate_data_dir(data_dir, postgres, quiet)


async def test_a_missing_extra_is_told_before_anything_is_copied(
    data_dir: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError("no module", name="sqlalchemy")

    monkeypatch.setattr(extra_imports, "import_module", missing)
    with pytest.raises(StartError, match=r"has a workspace.*the extra `workspace`"):
        await migrate_data_dir(data_dir, postgres, quiet)
    assert await rows(postgres, "SELECT to_regnamespace('gencode')") == [(None,)]


async def test_a_service_goes_on_with_its_workspace_on_postgresql(tmp_path: Path, postgres: str) -> None:
    """Stored keys decrypt, searches find the same, new documents are indexed, the audit log is in order."""
    folder = tmp_path / "data"
    async with embeddings_server() as server:
        async with running_app(chosen(tmp_path)) as app:
            config = await a_config(app.url, server)
            base = await a_base(app.url, encoder="model", encoder_config=config, encoder_dimensions=8)
            await add(app.url, base, "发布.md", CHINESE)
            await settled(app.url, base)
            await active(app.url, base)
            found = await search(app.url, base, "谁批准发布？")
        verified = await verify_audit_log(DatabaseSettings(data_dir=folder))
        printed = await gencode("migrate", data_dir=folder, settings={"DATABASE_URL": postgres})
        assert "1 stored keys and tokens of users need their key: set ENCRYPTION_KEY" in printed
        assert ENCRYPTION_KEY_FILE in printed
        key = b64encode((folder / ENCRYPTION_KEY_FILE).read_bytes()).decode()
        moved = DatabaseSettings(data_dir=tmp_path, database_url=SecretStr(postgres))
        assert (verified.broken, await verify_audit_log(moved)) == (None, verified)
        secrets = {"database_url": SecretStr(postgres), "encryption_key": SecretStr(key)}
        async with running_app(chosen(tmp_path / "other", **secrets)) as app:
            assert await search(app.url, base, "谁批准发布？") == found
            server.asked.clear()
            await add(app.url, base, "deployment.md", ENGLISH)
            states = [row["processing_status"] for row in await settled(app.url, base)]
            assert (states, bool(server.asked)) == (["completed", "completed"], True)
        after = await verify_audit_log(moved)
        assert (after.broken, after.entries > verified.entries) == (None, True)
