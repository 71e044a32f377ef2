from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gencode.domain.errors import StoreUnusable
from gencode.engine.ports.store import TaskQuery
from gencode.storage.postgres import migrations
from gencode.storage.postgres.schema import INTEGERS, VERSION
from gencode.storage.postgres.store import open_postgres
from gencode.storage.rows import TASK_COLUMNS
from tests.servers.ports import closed_port
from tests.servers.postgres import PostgresServer
from tests.unit.storage.postgres.stores import created, execute
from tests.unit.storage.samples import a_task

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'gencode'"


async def refusal(dsn: str) -> str:
    with pytest.raises(StoreUnusable) as caught:
        async with open_postgres(dsn):
            pytest.fail("it was opened")
    return caught.value.message


async def test_processes_that_start_at_once_make_the_tables_once(postgres: str) -> None:
    async def start() -> None:
        async with open_postgres(postgres, readers=1) as store:
            await created(store)

    await asyncio.gather(*(start() for _ in range(8)))
    assert execute(postgres, "SELECT version FROM gencode.schema_versions") == [
        (version,) for version in range(1, VERSION + 1)
    ]
    async with open_postgres(postgres) as store:
        assert len(await store.find(TaskQuery())) == 8


async def test_the_tables_have_the_columns_of_the_rows(postgres: str) -> None:
    async with open_postgres(postgres):
        pass
    columns = execute(
        postgres,
        "SELECT column_name, data_type, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'gencode' AND table_name = 'tasks' ORDER BY ordinal_position",
    )
    assert {name for name, *_ in columns} == set(TASK_COLUMNS)
    assert {name for name, type_, _ in columns if type_ == "bigint"} == INTEGERS["tasks"]
    assert {collation for _, type_, collation in columns if type_ == "text"} == {"C"}


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_postgres(postgres) as store:
        task = await created(store)
    steps = (*migrations.MIGRATIONS, "CREATE TABLE gencode.more (id int); SELECT 1 / 0")
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", steps)
        patched.setattr(migrations, "VERSION", VERSION + 1)
        assert "cannot be used" in await refusal(postgres)
    async with open_postgres(postgres) as store:
        assert await store.find(TaskQuery()) == [task]
    assert execute(postgres, "SELECT to_regclass('gencode.more')") == [(None,)]


async def test_the_next_version_is_applied_to_what_is_there(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_postgres(postgres) as store:
        task = await created(store)
    steps = (*migrations.MIGRATIONS, "CREATE TABLE gencode.more (id int)")
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(migrations, "VERSION", VERSION + 1)
    for _ in range(2):
        async with open_postgres(postgres) as store:
            assert await store.find(TaskQuery()) == [task]
    assert execute(postgres, "SELECT count(*) FROM gencode.more") == [(0,)]


async def test_a_newer_schema_is_refused(postgres: str) -> None:
    async with open_postgres(postgres):
        pass
    execute(postgres, "INSERT INTO gencode.schema_versions VALUES (99)")
    assert "schema version 99" in await refusal(postgres)


async def test_another_applications_schema_is_refused_and_not_touched(postgres: str) -> None:
    execute(postgres, "CREATE SCHEMA gencode")
    execute(postgres, "CREATE TABLE gencode.tasks (mine int)")
    assert "another application" in await refusal(postgres)
    assert execute(postgres, TABLES) == [(1,)]


async def test_other_tables_of_the_database_stay_and_an_empty_schema_is_used(postgres: str) -> None:
    execute(postgres, "CREATE SCHEMA gencode")
    execute(postgres, "CREATE TABLE public.tasks AS SELECT 7 AS mine")
    async with open_postgres(postgres) as store:
        await created(store)
    assert execute(postgres, "SELECT mine FROM public.tasks") == [(7,)]


async def test_a_user_without_the_right_to_make_a_schema_is_told_so(
    postgres_server: PostgresServer, postgres: str
) -> None:
    name = postgres.rpartition("/")[2]
    execute(postgres, f"CREATE ROLE user_of_{name} LOGIN")
    dsn = make_conninfo(postgres, user=f"user_of_{name}")
    assert "grant its user CREATE" in await refusal(dsn)
    async with open_postgres(postgres):
        pass
    execute(postgres, f"GRANT USAGE ON SCHEMA gencode TO user_of_{name}")
    execute(postgres, f"GRANT ALL ON ALL TABLES IN SCHEMA gencode TO user_of_{name}")
    async with open_postgres(dsn) as store:  # with tables that are there, it needs no such right
        await created(store)
    postgres_server.drop_database(postgres)
    postgres_server.execute(f"DROP ROLE user_of_{name}")


async def test_a_database_of_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    dsn = postgres_server.dsn("latin")
    assert "encoding LATIN1" in await refusal(dsn)
    postgres_server.drop_database(dsn)


async def test_what_cannot_be_reached_is_named_without_its_password(postgres: str) -> None:
    port = closed_port()
    message = await refusal(f"postgresql://me:hunter2@127.0.0.1:{port}/tasks")
    assert f"127.0.0.1:{port}/tasks cannot be used" in message
    assert "hunter2" not in message
    message = await refusal(make_conninfo(postgres, dbname="missing"))
    assert '"missing" does not exist' in message


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:hunter2@h:1/d?nothing=1", "host=h password='hunter2", "hunter2"]
)
async def test_an_address_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    message = await refusal(dsn)
    assert "postgresql://USER:PASSWORD@HOST" in message
    assert "hunter2" not in message


async def test_ids_sort_by_their_bytes_whatever_the_database_does(postgres_server: PostgresServer) -> None:
    try:
        postgres_server.execute(
            "CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
        )
    except psycopg.Error:
        pytest.skip("this PostgreSQL knows no other order")
    dsn = postgres_server.dsn("english")
    ids = ["b", "B", "a", "_", "Z", "é", "-", "\0", "\1", "z\0", "z"]
    assert execute(dsn, "SELECT 'B' < 'a', 'B' COLLATE \"C\" < 'a' COLLATE \"C\"") == [(False, True)]
    async with open_postgres(dsn) as store:
        await asyncio.gather(*(store.create(a_task(id=id_), {}, []) for id_ in ids))
        newest_first = [task.id for task in await store.find(TaskQuery())]
        assert newest_first == sorted(ids, reverse=True)
        found = await store.find(TaskQuery(before="a"))
        assert [task.id for task in found] == sorted((id_ for id_ in ids if id_ < "a"), reverse=True)
    postgres_server.drop_database(dsn)
