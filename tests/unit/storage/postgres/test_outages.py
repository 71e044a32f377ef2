"""The connection, or the server, goes away: every write has one of its four outcomes."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.domain.task import Task
from gencode.engine.ports.store import TaskQuery
from gencode.storage.postgres import connection
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.relay import Loss, Relay, relay
from tests.unit.storage.postgres.stores import created, end_connections, execute, next_version, through
from tests.unit.storage.samples import REQUEST, a_task, an_event

COMMIT = b"COMMIT\0"  # BEGIN has the word READ COMMITTED


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """To be stopped by its test."""
    if not is_installed():
        pytest.skip(MISSING)
    with running_postgres() as server:
        yield server


@pytest.fixture
def small_disk(own_server: PostgresServer) -> Iterator[Path]:
    """A file system of 24 MB, in memory, with the tablespace `small`."""
    disk, owner = own_server.directory / "small_disk", own_server.directory.stat().st_uid
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size=24m,mode=700,uid={owner}", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        space = disk / "space"
        space.mkdir()
        shutil.chown(space, owner)
        own_server.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        yield disk
    finally:
        own_server.stop("QUIT")
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@asynccontextmanager
async def relayed(
    server: PostgresServer, dsn: str, **options: Any
) -> AsyncIterator[tuple[PostgresStore, Relay]]:
    async with relay(server.port) as made, open_postgres(through(dsn, made.port), **options) as store:
        yield store, made


async def test_a_connection_that_was_ended_while_idle_is_replaced_unnoticed(postgres: str) -> None:
    async with open_postgres(postgres) as store:
        task = await created(store)
        await store.find(TaskQuery())
        assert await asyncio.to_thread(end_connections, postgres) == 2
        assert await store.find(TaskQuery()) == [task]
        await store.commit(next_version(task), [an_event(task, 2)])
        assert len(await store.events(task.id)) == 2


async def test_a_connection_that_is_lost_within_a_batch_stores_nothing(postgres: str) -> None:
    lost = []

    async def lose(connection: psycopg.AsyncConnection[Any], tasks: Sequence[tuple[str, str]]) -> None:
        if not lost:
            lost.append(tasks)
            await asyncio.to_thread(end_connections, postgres)
            await connection.execute("SELECT 1")

    async with open_postgres(postgres, lose) as store:
        first, second = a_task(), a_task()
        outcomes = await asyncio.gather(
            *(store.create(task, REQUEST, [an_event(task, 1)]) for task in (first, second)),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
        assert outcomes[0] is not outcomes[1]
        assert await store.find(TaskQuery()) == []
        assert await store.events(first.id) == []
        task = await created(store)
        assert await store.find(TaskQuery()) == [task]


@pytest.mark.parametrize(("loss", "is_stored"), [(Loss.BEFORE, False), (Loss.AFTER, True)])
async def test_after_a_connection_that_is_lost_at_commit_the_outcome_is_unknown(
    postgres_server: PostgresServer, postgres: str, loss: Loss, is_stored: bool
) -> None:
    async with relayed(postgres_server, postgres) as (store, wire):
        task = a_task()
        wire.lose(COMMIT, loss)
        with pytest.raises(OutcomeUnknown):
            await store.create(task, REQUEST, [an_event(task, 1)])
        assert await store.find(TaskQuery()) == ([task] if is_stored else [])
        other = await created(store)
        assert await store.find(TaskQuery(id=other.id)) == [other]


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
async def test_a_read_is_repeated_once_when_its_connection_is_lost(
    postgres_server: PostgresServer, postgres: str, loss: Loss
) -> None:
    async with relayed(postgres_server, postgres) as (store, wire):
        task = await created(store)
        assert await store.find(TaskQuery()) == [task]
        wire.lose(b"FROM gencode.tasks", loss)
        assert await store.find(TaskQuery()) == [task]


async def test_a_read_on_a_new_connection_that_is_lost_fails(
    postgres_server: PostgresServer, postgres: str
) -> None:
    async with relayed(postgres_server, postgres) as (store, wire):
        wire.lose(b"FROM gencode.tasks", Loss.BEFORE)
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.find(TaskQuery())
        assert await store.find(TaskQuery()) == []


@pytest.mark.parametrize(
    ("text", "error"), [(b"INSERT INTO gencode.tasks", StoreError), (COMMIT, OutcomeUnknown)]
)
async def test_a_server_that_hangs_is_given_up(
    postgres_server: PostgresServer,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    text: bytes,
    error: type[StoreError],
) -> None:
    async with relayed(postgres_server, postgres) as (store, wire):
        monkeypatch.setattr(connection, "TRANSACTION_SECONDS", 0.1)
        wire.lose(text, Loss.SILENCE)
        with pytest.raises(StoreError) as caught:
            await created(store)
        assert type(caught.value) is error
        monkeypatch.setattr(connection, "TRANSACTION_SECONDS", 60)
        task = await created(store)
        assert await store.find(TaskQuery()) == [task]


@pytest.mark.parametrize("signal", ["INT", "QUIT"])
async def test_what_was_acknowledged_is_there_after_a_restart(
    own_server: PostgresServer, signal: str
) -> None:
    async with open_postgres(own_server.create_database()) as store:
        task = await created(store)
        await store.find(TaskQuery())
        await asyncio.to_thread(own_server.stop, signal)
        await asyncio.to_thread(own_server.start)
        assert await store.find(TaskQuery()) == [task]
        other = await created(store)
        assert await store.find(TaskQuery()) == [other, task]


async def test_calls_wait_for_a_server_that_restarts(own_server: PostgresServer) -> None:
    async with open_postgres(own_server.create_database(), patience=60) as store:
        first = await created(store)
        await asyncio.to_thread(own_server.stop)
        calls: list[asyncio.Task[Any]] = [
            asyncio.create_task(created(store)),
            asyncio.create_task(store.find(TaskQuery(id=first.id))),
        ]
        await asyncio.sleep(0)
        await asyncio.to_thread(own_server.start)
        second, found = await asyncio.gather(*calls)
        assert found == [first]
        assert await store.find(TaskQuery()) == [second, first]


async def test_while_the_server_is_away_calls_fail_and_the_next_ones_work(own_server: PostgresServer) -> None:
    async with open_postgres(own_server.create_database(), patience=0) as store:
        task = await created(store)
        await store.find(TaskQuery())
        await asyncio.to_thread(own_server.stop)
        for call in (created(store), store.find(TaskQuery()), store.check_writable()):
            with pytest.raises(StoreError, match="cannot be reached") as caught:
                await call
            assert type(caught.value) is StoreError
        await asyncio.to_thread(own_server.start)
        await store.check_writable()
        assert await store.find(TaskQuery()) == [task]


async def test_a_full_disk_refuses_what_it_cannot_store_and_recovers(
    own_server: PostgresServer, small_disk: Path
) -> None:
    own_server.execute("CREATE DATABASE tasks TABLESPACE small")
    async with open_postgres(own_server.dsn("tasks")) as store:
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 400_000))
        tasks = [a_task(message=secrets.token_hex(2000)) for _ in range(300)]
        outcomes = [await store.create(task, REQUEST, []) for task in tasks[:10]]
        outcomes += await asyncio.gather(
            *(store.create(task, REQUEST, []) for task in tasks[10:]), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {Task, StoreError}
        reasons = {outcome.message for outcome in outcomes if isinstance(outcome, StoreError)}
        assert reasons == {"the storage failed: the disk of the database is full: free space on it"}
        promised = [task for task, outcome in zip(tasks, outcomes, strict=True) if outcome == task]
        assert await store.find(TaskQuery(limit=1000)) == promised[::-1]
        filler.unlink()
        task = await created(store)
        assert await store.find(TaskQuery(limit=1)) == [task]


async def test_leaving_waits_for_a_write_whose_caller_is_gone(postgres: str) -> None:
    async with open_postgres(postgres) as store:
        task = a_task()
        caller = asyncio.create_task(store.create(task, REQUEST, []))
        await asyncio.sleep(0)
        caller.cancel()
    async with open_postgres(postgres) as store:
        found: list[Task] = await store.find(TaskQuery())
        assert found == [task]
    assert execute(postgres, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gencode'") == [
        (0,)
    ]
