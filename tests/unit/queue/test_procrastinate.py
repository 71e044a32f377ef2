"""What the queue in PostgreSQL promises beyond the contract: several processes, and workers that die."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import anyio
import psycopg
import pytest
from procrastinate import utils

from gencode.domain.errors import StoreError, StoreUnusable
from gencode.engine.ports.fair_queue import Delivery, Undelivered
from gencode.queue.procrastinate import queue as module
from gencode.queue.procrastinate import schema
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts
from tests.servers.postgres import PostgresServer
from tests.servers.queues import OpenQueue, open_queue, queue_database

LOCKS = "SELECT lock FROM procrastinate_jobs"


@pytest.fixture
async def dsn(postgres_server: PostgresServer) -> str:
    return queue_database(postgres_server)


@pytest.fixture
async def opened(dsn: str) -> AsyncIterator[OpenQueue]:
    async with open_queue(dsn) as opened:
        yield opened


async def working(
    opened: OpenQueue, handle: Callable[[Delivery], Awaitable[None]], body: Callable[[], Awaitable[object]]
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(opened.queue.work, handle, 1)
        await body()
        group.cancel_scope.cancel()


async def test_nothing_is_queued_by_a_transaction_that_is_rolled_back(opened: OpenQueue) -> None:
    with suppress(ZeroDivisionError):
        async with await psycopg.AsyncConnection.connect(opened.dsn) as connection:
            await opened.queue.job_writer(connection, [("t", "alice")])
            raise ZeroDivisionError
    assert await opened.rows("SELECT * FROM procrastinate_jobs") == []


async def test_a_batch_takes_turns_as_single_tasks_do(opened: OpenQueue) -> None:
    await opened.put(*[(f"a{n}", "alice") for n in range(60)])
    await opened.put(*[(f"b{n}", "bob") for n in range(5)])
    rows = await opened.rows("SELECT lock FROM procrastinate_jobs ORDER BY priority DESC, id")
    order = [str(lock) for (lock,) in rows]
    assert [order.index(f"b{n}") for n in range(5)] == [2, 4, 6, 8, 10]
    assert [lock for lock in order if lock.startswith("a")] == [f"a{n}" for n in range(60)]


async def test_who_was_away_is_not_paid_back(opened: OpenQueue) -> None:
    """A principal that begins late starts at the turn that is served, not at the first one."""
    await opened.put(*[(f"a{n}", "alice") for n in range(10)])
    await opened.rows("DELETE FROM procrastinate_jobs WHERE priority >= -8")
    await opened.put(("b0", "bob"), ("b1", "bob"), ("b2", "bob"), ("b3", "bob"))
    rows = await opened.rows("SELECT lock FROM procrastinate_jobs ORDER BY priority DESC, id")
    assert [lock for (lock,) in rows] == ["a8", "a9", "b0", "b1", "b2", "b3"]


async def test_a_delivery_again_is_not_the_turn_that_is_served(opened: OpenQueue) -> None:
    """It waits with a turn of long ago. Who comes new would precede all others."""
    await opened.put(*[(f"a{n}", "alice") for n in range(40)])
    await opened.rows("UPDATE procrastinate_jobs SET attempts = 1 WHERE lock = 'a0'")
    await opened.rows("DELETE FROM procrastinate_jobs WHERE attempts = 0 AND priority > -30")
    await opened.put(*[(f"b{n}", "bob") for n in range(5)])
    rows = await opened.rows(
        "SELECT lock FROM procrastinate_jobs WHERE attempts = 0 ORDER BY priority DESC, id"
    )
    order = [str(lock) for (lock,) in rows]
    assert [order.index(f"b{n}") for n in range(5)] == [2, 4, 6, 8, 10]


async def test_the_turn_that_a_worker_has_is_served(opened: OpenQueue) -> None:
    """The job that waits with an older turn waits for the lock of its task."""
    await opened.put(*[(f"a{n}", "alice") for n in range(40)])
    await opened.rows("DELETE FROM procrastinate_jobs WHERE priority BETWEEN -29 AND -2")
    await opened.rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE lock = 'a29'")
    await opened.put(*[(f"b{n}", "bob") for n in range(5)])
    rows = await opened.rows(
        "SELECT lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY priority DESC, id"
    )
    assert [lock for (lock,) in rows][:4] == ["a0", "a30", "b0", "a31"]


async def test_turns_beyond_the_range_of_priorities_are_served_in_the_order_of_arrival(
    opened: OpenQueue,
) -> None:
    await opened.put(("t0", "alice"))
    await opened.rows(f"UPDATE gencode.queue_turns SET turn = {2**31 - 2}")
    await opened.put(*[(f"a{n}", "alice") for n in range(4)])
    await opened.put(("a4", "alice"))
    rows = await opened.rows("SELECT lock FROM procrastinate_jobs ORDER BY priority DESC, id")
    assert [lock for (lock,) in rows] == ["t0", "a0", "a1", "a2", "a3", "a4"]


async def test_a_principal_with_characters_that_json_refuses(opened: OpenQueue) -> None:
    await opened.put(("t", "a\0b"), ("u", "生成 '; DROP TABLE x; --"))
    await opened.queue._count()
    assert len(opened.queue) == 2


@pytest.mark.campaign
async def test_two_processes_share_the_tasks(opened: OpenQueue, dsn: str) -> None:
    handled: list[tuple[str, str]] = []
    both = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        handled.append((delivery.task_id, delivery.owner))
        if len(handled) == 2:
            both.set()
        await anyio.sleep_forever()

    async with open_queue(dsn) as other, anyio.create_task_group() as group:
        for one in (opened, other):
            group.start_soon(one.queue.work, handle, 1)
        await opened.put(("t1", "alice"), ("t2", "alice"))
        await both.wait()
        owners = {owner for _, owner in handled}
        assert [await opened.queue.is_alive(owner) for owner in owners] == [True, True]
        group.cancel_scope.cancel()
    assert sorted(task_id for task_id, _ in handled) == ["t1", "t2"]
    assert [await opened.queue.is_alive(owner) for owner in owners] == [False, False]


async def test_what_a_handler_leaves_is_delivered_again(opened: OpenQueue) -> None:
    deliveries: list[str] = []
    done = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        deliveries.append(delivery.task_id)
        if len(deliveries) == 1:
            raise Undelivered
        done.set()

    async def again() -> None:
        while not await opened.rows("SELECT 1 FROM procrastinate_jobs WHERE attempts = 1"):
            await anyio.sleep(0.01)
        await opened.rows("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        await done.wait()

    await opened.put(("t", "alice"))
    await working(opened, handle, again)
    assert deliveries == ["t", "t"]


async def test_a_task_that_is_done_leaves_nothing(opened: OpenQueue) -> None:
    done = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        done.set()

    async def gone() -> None:
        await done.wait()
        while await opened.rows("SELECT 1 FROM procrastinate_jobs"):
            await anyio.sleep(0.01)

    await opened.put(("t", "alice"))
    await working(opened, handle, gone)
    assert await opened.rows("SELECT * FROM procrastinate_events") == []


async def test_a_stop_lets_a_task_end_in_time(dsn: str) -> None:
    started, finished = anyio.Event(), anyio.Event()

    async def handle(delivery: Delivery) -> None:
        started.set()
        await release.wait()
        finished.set()

    release = asyncio.Event()
    async with open_queue(dsn, timeouts=WorkerTimeouts(stale=600)) as opened:
        await opened.put(("t", "alice"))

        async def stop() -> None:
            await started.wait()
            asyncio.get_running_loop().call_soon(release.set)

        await working(opened, handle, stop)
        assert finished.is_set()
        assert await opened.rows("SELECT * FROM procrastinate_jobs") == []


async def test_a_worker_that_was_taken_for_dead_starts_again_under_another_name(
    opened: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after SIGSTOP: its row among the workers is gone, and it can fetch no job under its old name."""
    monkeypatch.setattr(module, "RESTART_SECONDS", 0)
    owners: list[str] = []
    handled = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        nonlocal handled
        owners.append(delivery.owner)
        handled.set()

    async def body() -> None:
        nonlocal handled
        await opened.put(("t1", "alice"))
        await handled.wait()
        handled = anyio.Event()
        while await opened.rows("SELECT 1 FROM procrastinate_jobs"):
            await anyio.sleep(0.01)
        await opened.rows("DELETE FROM procrastinate_workers")
        await opened.put(("t2", "alice"))
        await handled.wait()

    await working(opened, handle, body)
    assert len(set(owners)) == 2


async def test_a_database_that_restarts_ends_no_worker(
    postgres_server: PostgresServer, opened: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0)
    handled = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        handled.set()

    async def body() -> None:
        name = opened.dsn.rpartition("/")[2]
        while not await opened.rows("SELECT 1 FROM procrastinate_workers"):
            await anyio.sleep(0.01)
        postgres_server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        await opened.put(("t", "alice"))
        await handled.wait()

    await working(opened, handle, body)


async def test_a_worker_outlives_a_database_that_takes_no_connections_for_a_while(
    postgres_server: PostgresServer, opened: OpenQueue
) -> None:
    """As during a restart. The worker would end the tasks that it runs, to start again under another name."""
    name = opened.dsn.rpartition("/")[2]
    owners: list[str] = []
    away, release = anyio.Event(), anyio.Event()

    async def handle(delivery: Delivery) -> None:
        owners.append(delivery.owner)
        if delivery.task_id == "t1":
            away.set()
            await release.wait()
        else:
            done.set()

    done = anyio.Event()

    async def body() -> None:
        await opened.put(("t1", "alice"))
        await away.wait()
        postgres_server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres_server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        await refused.wait()
        postgres_server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        release.set()
        await opened.put(("t2", "alice"))
        await done.wait()

    refused = anyio.Event()
    connect = psycopg.AsyncConnection.connect

    async def connect_and_tell(*args: Any, **kwargs: Any) -> Any:
        try:
            return await connect(*args, **kwargs)
        except psycopg.Error:
            if "autocommit" in kwargs:  # the connection that listens
                refused.set()
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.AsyncConnection, "connect", connect_and_tell)
        await working(opened, handle, body)
    assert len(set(owners)) == 1


async def test_a_process_that_is_stopped_between_two_statements_holds_no_lock(opened: OpenQueue) -> None:
    """As by SIGSTOP: what it has fetched can be delivered to others."""
    await opened.put(("t", "alice"))
    connector: Any = opened.app.connector
    async with connector.pool.connection() as connection:
        await connection.execute("UPDATE procrastinate_jobs SET attempts = 1")
        assert await opened.rows("SELECT 1 FROM procrastinate_jobs WHERE attempts = 1 FOR UPDATE NOWAIT")


async def test_a_statement_whose_connection_is_lost_is_repeated(opened: OpenQueue) -> None:
    query = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE nextval('lost') = 1"
    await opened.rows("CREATE SEQUENCE lost")
    await opened.app.connector.execute_query_async(query)
    assert await opened.app.connector.execute_query_all_async(query) == []


async def test_the_time_of_the_next_delivery_is_the_databases(
    opened: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process's clock is an hour ahead."""
    ahead = time.time() + 3600
    monkeypatch.setattr(utils, "utcnow", lambda: datetime.fromtimestamp(ahead, UTC))
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: ahead))
    await opened.put(("t", "alice"))
    await opened.queue._count()

    async def handle(delivery: Delivery) -> None:
        raise Undelivered

    async def body() -> None:
        while not await opened.rows("SELECT 1 FROM procrastinate_jobs WHERE attempts = 1"):
            await anyio.sleep(0.01)

    await working(opened, handle, body)
    late = "SELECT 1 FROM procrastinate_jobs WHERE scheduled_at > now() + interval '1 minute'"
    assert await opened.rows(late) == []


async def test_a_delivery_again_is_no_old_wait(opened: OpenQueue) -> None:
    await opened.put(("t", "alice"))
    await opened.rows("UPDATE procrastinate_events SET at = at - interval '1 hour'")
    await opened.queue._count()
    assert opened.queue.longest_wait > 3000
    await opened.rows("UPDATE procrastinate_jobs SET attempts = 1")
    await opened.queue._count()
    assert (len(opened.queue), opened.queue.longest_wait) == (1, 0)


async def test_workers_that_cannot_be_read_are_an_error_of_the_store(dsn: str) -> None:
    async with open_queue(dsn) as opened:
        await opened.rows("DROP TABLE procrastinate_workers CASCADE")
        with pytest.raises(StoreError):
            await opened.queue.is_alive("1")


# --- the tables -------------------------------------------------------------------------------------


async def test_processes_that_start_at_once_make_the_tables_once(postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA gencode")
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(migrate_queue, postgres)
    await migrate_queue(postgres)


async def test_tables_that_another_process_makes_meanwhile_are_its_own(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for the table of versions and the one for procrastinate's."""
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA gencode")
    value = schema._value

    async def value_before_the_others(connection: psycopg.AsyncConnection[Any], sql: str) -> Any:
        found = await value(connection, sql)
        monkeypatch.setattr(schema, "_value", value)
        await migrate_queue(postgres)
        return found

    monkeypatch.setattr(schema, "_value", value_before_the_others)
    await migrate_queue(postgres)


async def test_tables_of_another_application_are_not_used(postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA gencode")
        await connection.execute("CREATE TABLE procrastinate_jobs (id int)")
    with pytest.raises(StoreUnusable, match="another application"):
        await migrate_queue(postgres)


async def test_tables_of_another_version_are_not_used(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "PROCRASTINATE", "3.11")
    with pytest.raises(StoreUnusable, match=r"procrastinate 3\.10"):
        await migrate_queue(dsn)


async def test_a_database_that_is_not_there(postgres: str) -> None:
    with pytest.raises(StoreUnusable):
        await migrate_queue(f"{postgres}_missing")
