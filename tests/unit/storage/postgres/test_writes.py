"""Batches, their limits, and the hook that queues tasks within their transaction."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import State, Task
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.postgres import array_parameters
from gencode.storage.postgres.store import open_postgres
from gencode.storage.postgres.writes import Enqueue
from tests.servers.postgres import PostgresServer
from tests.servers.relay import relay
from tests.unit.storage.postgres.stores import created, execute, next_version, through
from tests.unit.storage.samples import REQUEST, a_task, an_event

Connection = psycopg.AsyncConnection[Any]


class Queue:
    """Records what it is called with, in a table of the same database."""

    def __init__(self, dsn: str, fail: Callable[[str], bool] = lambda task_id: False) -> None:
        self._dsn = dsn
        self._fail = fail
        self.calls: list[Sequence[tuple[str, str]]] = []
        execute(dsn, "CREATE TABLE jobs (id serial, task_id text, principal text)")

    async def enqueue(self, connection: Connection, tasks: Sequence[tuple[str, str]]) -> None:
        self.calls.append(tasks)
        for task_id, principal in tasks:
            if self._fail(task_id):
                raise RuntimeError("the queue is broken")
            await connection.execute(
                "INSERT INTO jobs (task_id, principal) VALUES (%s, %s)", (task_id, principal)
            )

    def jobs(self) -> list[tuple[str, str]]:
        return execute(self._dsn, "SELECT task_id, principal FROM jobs ORDER BY id")


# --- sharing ----------------------------------------------------------------------------------------


async def test_callers_that_wait_share_one_transaction(
    postgres_server: PostgresServer, postgres: str
) -> None:
    async with relay(postgres_server.port) as wire, open_postgres(through(postgres, wire.port)) as store:
        begun = len(wire.sent)
        tasks = [a_task() for _ in range(200)]
        await asyncio.gather(*(store.create(task, REQUEST, [an_event(task, 1)]) for task in tasks))
        assert wire.sent[begun:].count(b"COMMIT\0") == 1
        await asyncio.gather(*(store.commit(next_version(task), [an_event(task, 2)]) for task in tasks))
        assert wire.sent[begun:].count(b"COMMIT\0") == 2
        assert await store.find(TaskQuery(limit=1000)) == [next_version(task) for task in tasks[::-1]]


async def test_rows_beyond_a_statement_go_into_several(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_parameters, "CHUNK_ROWS", 7)
    monkeypatch.setattr(array_parameters, "CHUNK_CHARACTERS", 1000)
    async with open_postgres(postgres) as store:
        task = a_task()
        events = [an_event(task, n, text="x" * random.Random(n).randrange(2000)) for n in range(1, 60)]
        await store.create(task, REQUEST, events)
        assert await store.events(task.id) == events


def test_chunks_hold_all_rows_in_order_and_no_more_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_parameters, "CHUNK_ROWS", 3)
    monkeypatch.setattr(array_parameters, "CHUNK_CHARACTERS", 10)
    rows = [(n, "x" * size, None) for n, size in enumerate([1, 1, 1, 1, 9, 2, 30, 1, 0])]
    chunks = list(array_parameters.chunks(rows))
    assert [row for chunk in chunks for row in chunk] == rows
    assert [[len(text) for _, text, _ in chunk] for chunk in chunks] == [[1, 1, 1], [1, 9], [2], [30], [1, 0]]
    assert list(array_parameters.chunks([])) == []


@pytest.mark.parametrize("size", [500, 300_000])
async def test_a_value_that_is_too_large_fails_alone(
    postgres: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(array_parameters, "MAX_ROW_CHARACTERS", 400_000)
    async with open_postgres(postgres) as store:
        good, huge = a_task(), a_task()
        made, failed = await asyncio.gather(
            store.create(good, {"prompt": "x" * size}, [an_event(good, 1)]),
            store.create(huge, {"prompt": "x" * 400_001}, [an_event(huge, 1)]),
            return_exceptions=True,
        )
        assert made == good
        assert isinstance(failed, StoreError)
        assert "too large" in failed.message
        assert await store.find(TaskQuery()) == [good]
        assert await store.request(good.id) == {"prompt": "x" * size}


async def test_what_an_index_cannot_hold_fails_alone(postgres: str) -> None:
    noise = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9FFF), k=4000)))
    async with open_postgres(postgres) as store:
        good, bad = a_task(), a_task()
        made, failed = await asyncio.gather(
            store.create(good, REQUEST, [], IdempotencyKey(principal="alice", value="k", digest="d")),
            store.create(bad, REQUEST, [], IdempotencyKey(principal="alice", value=noise, digest="d")),
            return_exceptions=True,
        )
        assert made == good
        assert isinstance(failed, StoreError)
        assert "too large" in failed.message


async def test_a_number_that_no_column_holds_fails_alone(postgres: str) -> None:
    async with open_postgres(postgres) as store:
        good, bad = a_task(), a_task(attempts=2**63)
        made, failed = await asyncio.gather(
            store.create(good, REQUEST, []), store.create(bad, REQUEST, []), return_exceptions=True
        )
        assert made == good
        assert isinstance(failed, StoreError)


async def test_what_waits_beyond_the_limit_is_refused(postgres: str) -> None:
    async with open_postgres(postgres, limit=10) as store:
        outcomes = await asyncio.gather(
            *(store.create(a_task(), REQUEST, []) for _ in range(15)), return_exceptions=True
        )
        assert [isinstance(outcome, StoreError) for outcome in outcomes] == [False] * 10 + [True] * 5
        assert len(await store.find(TaskQuery())) == 10


async def test_reads_of_callers_that_leave_disturb_no_other(postgres: str) -> None:
    async with open_postgres(postgres, readers=2) as store:
        task = await created(store)
        for turns in range(40):
            leaves = asyncio.create_task(store.find(TaskQuery()))
            stays = asyncio.create_task(store.find(TaskQuery()))
            for _ in range(turns % 10):
                await asyncio.sleep(0)
            leaves.cancel()
            with suppress(asyncio.CancelledError):
                await leaves
            assert await stays == [task]


# --- the hook ---------------------------------------------------------------------------------------


async def test_what_becomes_queued_is_queued_in_its_transaction(postgres: str) -> None:
    queue = Queue(postgres)
    async with open_postgres(postgres, queue.enqueue) as store:
        task = await created(store, principal="bob")
        assert queue.jobs() == [(task.id, "bob")]
        steps = [State.RUNNING, State.QUEUED, State.RUNNING, State.PAUSED, State.QUEUED, State.QUEUED]
        for state in steps:
            task = next_version(task, state=state)
            await store.commit(task)
        assert queue.jobs() == [(task.id, "bob")] * 3
        await created(store, state=State.SUCCEEDED)
        await store.commit(next_version(task, state=State.FAILED))
        assert len(queue.calls) == 3


async def test_tasks_of_one_batch_are_queued_together_in_the_order_of_the_calls(postgres: str) -> None:
    queue = Queue(postgres)
    async with open_postgres(postgres, queue.enqueue) as store:
        paused = [await created(store, state=State.PAUSED) for _ in range(3)][::-1]
        tasks = [a_task() for _ in range(10)]
        await asyncio.gather(
            *(store.create(task, REQUEST, []) for task in tasks),
            *(store.commit(next_version(task, state=State.QUEUED)) for task in paused),
        )
        assert queue.calls == [[(task.id, "alice") for task in (*tasks, *paused)]]


async def test_several_commits_of_one_task_in_a_batch_queue_it_once(postgres: str) -> None:
    queue = Queue(postgres)
    async with open_postgres(postgres, queue.enqueue) as store:
        task = await created(store)

        async def commit(*states: State) -> None:
            nonlocal task
            commits = []
            for state in states:
                task = next_version(task, state=state)
                commits.append(store.commit(task))
            await asyncio.gather(*commits)

        await commit(State.RUNNING, State.QUEUED)
        assert len(queue.jobs()) == 2
        await commit(State.RUNNING, State.QUEUED, State.RUNNING)
        assert len(queue.jobs()) == 2


async def test_a_submission_that_is_repeated_is_queued_once(postgres: str) -> None:
    queue = Queue(postgres)
    key = IdempotencyKey(principal="alice", value="k", digest="d")
    async with open_postgres(postgres, queue.enqueue) as store:
        made = await asyncio.gather(*(store.create(a_task(), REQUEST, [], key) for _ in range(5)))
        await store.create(a_task(), REQUEST, [], key)
    assert queue.jobs() == [(made[0].id, "alice")]


async def test_a_commit_that_is_a_conflict_queues_nothing(postgres: str) -> None:
    queue = Queue(postgres)
    async with open_postgres(postgres, queue.enqueue) as store:
        task = await created(store, state=State.PAUSED)
        late = next_version(next_version(task, state=State.QUEUED))
        other = a_task()
        outcomes = await asyncio.gather(
            store.commit(late), store.create(other, REQUEST, []), return_exceptions=True
        )
        assert outcomes[1] == other
        assert queue.jobs() == [(other.id, "alice")]


async def test_a_task_that_cannot_be_queued_is_not_stored_and_the_others_are(postgres: str) -> None:
    good, bad = [a_task() for _ in range(20)], a_task()
    queue = Queue(postgres, lambda task_id: task_id == bad.id)
    async with open_postgres(postgres, queue.enqueue) as store:
        outcomes = await asyncio.gather(
            *(store.create(task, REQUEST, []) for task in (*good[:10], bad, *good[10:])),
            return_exceptions=True,
        )
        failed = outcomes.pop(10)
        assert isinstance(failed, StoreError)
        assert "could not be queued" in failed.message
        assert outcomes == good
        assert await store.find(TaskQuery()) == good[::-1]
        assert [task_id for task_id, _ in queue.jobs()] == [task.id for task in good]


async def swallow(connection: Connection, tasks: Sequence[tuple[str, str]]) -> None:
    with suppress(psycopg.Error):
        await connection.execute("SELECT 1 / 0")


async def no_table(connection: Connection, tasks: Sequence[tuple[str, str]]) -> None:
    await connection.execute("INSERT INTO nowhere VALUES (1)")


@pytest.mark.parametrize("enqueue", [swallow, no_table])
async def test_a_hook_that_fails_the_transaction_stores_nothing(postgres: str, enqueue: Enqueue) -> None:
    async with open_postgres(postgres, enqueue) as store:
        with pytest.raises(StoreError) as caught:
            await created(store)
        assert type(caught.value) is StoreError
        assert await store.find(TaskQuery()) == []
        task: Task = await created(store, state=State.SUCCEEDED)
        await store.commit(next_version(task), [Event(task_id=task.id, id=2, kind="x", data={})])
