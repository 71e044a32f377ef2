"""Two hubs over a real PostgreSQL server; the store is in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from gencode.domain.event import Event, encode
from gencode.domain.task import State
from gencode.engine.ports.store import Store
from gencode.hub.postgres import hub as hub_module
from gencode.hub.postgres.hub import PostgresHub
from gencode.hub.postgres.notifications import PostgresNotifications
from gencode.storage.memory import MemoryStore
from gencode.storage.postgres.store import open_postgres
from tests.contract.test_hub import Log, at_least, play, settled, steps, whole, without_live
from tests.servers.linked_hubs import HubPair, NotificationFilter, hub_over, hub_pair
from tests.servers.postgres import PostgresServer, running_postgres

pytestmark = pytest.mark.usefixtures("patient_echo", "no_rare_checks")


async def begun(hub: HubPair, store: Store) -> Log:
    log = Log(hub=hub, store=store)
    await log.begin()
    await log.add()
    return log


def terminate_connections(server: PostgresServer, dsn: str) -> None:
    """Those for notifications, and those of a store that is called `reading`."""
    server.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name in "
        f"('gencode notifications', 'reading') and datname = '{dsn.rpartition('/')[2]}'"
    )


def offsets(read: bytes) -> list[int]:
    lines = [line for line in read.split(b"\n") if line.startswith(b'data: {"about"')]
    return [json.loads(line[6:])["offset"] for line in lines]


async def test_no_event_is_missing_or_doubled_while_connections_are_ended(
    postgres: str, postgres_server: PostgresServer
) -> None:
    store = MemoryStore()
    async with hub_pair(postgres, store) as pair:
        log = await begun(pair, store)
        readers = [asyncio.create_task(whole(log.read(live=live))) for live in (True, False)]
        for n in range(600):
            await log.add()
            pair.publish_live(log.task.id, {"about": "a", "offset": n, "text": "x"})
            await asyncio.sleep(0)
            if n % 150 == 100:
                await asyncio.to_thread(terminate_connections, postgres_server, postgres)
        await log.add(final=True)
        with_live, plain = await asyncio.gather(*readers)
        assert plain == log.bytes()
        assert without_live(with_live) == log.bytes()
        assert offsets(with_live) == sorted(set(offsets(with_live)))


@pytest.mark.parametrize("longest_sent", [0, 10_000], ids=["read", "sent"])
async def test_no_event_is_missing_or_doubled_with_the_store_in_the_same_database(
    postgres: str, postgres_server: PostgresServer, longest_sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MAX_MESSAGES", longest_sent)
    async with (
        open_postgres(postgres) as writing,
        open_postgres(f"{postgres}?application_name=reading") as reading,
    ):
        both = PostgresNotifications(postgres), PostgresNotifications(postgres)
        async with hub_over(both[0], writing) as one, hub_over(both[1], reading) as other:
            log = await begun(HubPair(one, other), writing)
            readers = [asyncio.create_task(whole(log.read())) for _ in range(3)]
            for n in range(120):
                await log.add()
                if n % 50 == 25:
                    await asyncio.to_thread(terminate_connections, postgres_server, postgres)
            await log.add(final=True)
            assert await asyncio.gather(*readers) == [log.bytes()] * 3


async def test_an_event_has_the_same_bytes_whether_it_is_sent_or_read(postgres: str) -> None:
    odd = {"text": "a\0\r\n\n\u2028\x85 中 \ud83d \U0001f600", "n": [1.5, 1e300, -0.0, None, True], "": {}}
    async with open_postgres(postgres) as store, hub_pair(postgres, store) as pair:
        log = await begun(pair, store)
        async with aclosing(log.read()) as stream:
            first = await anext(stream)
            task = replace(log.task, sequence=2, version=log.task.version + 1, state=State.FAILED)
            event = Event(task_id=task.id, id=2, kind="file", data=odd)
            await store.commit(task, [event])
            pair.publish([event], is_final=True)
            sent = await whole(stream)
        assert sent == encode(event)
        assert await whole(log.read()) == first + sent


async def test_the_end_of_a_task_that_is_published_while_the_server_restarts_arrives() -> None:
    store = MemoryStore()
    with running_postgres() as server:
        async with hub_pair(server.dsn(), store) as pair:
            log = await begun(pair, store)
            async with aclosing(log.read()) as stream:
                await anext(stream)
                server.stop("QUIT")
                await log.add(3, final=True)
                server.start()
                assert await whole(stream) == log.bytes(after=1)


async def test_a_burst_of_events_and_of_live_messages(postgres: str) -> None:
    store = MemoryStore()
    async with hub_pair(postgres, store) as pair:
        log = await begun(pair, store)
        async with aclosing(log.read(live=True)) as stream:
            await anext(stream)
            for n in range(1000):
                pair.publish_live(log.task.id, {"about": "a", "offset": n, "text": "word "})
                await log.add(10, final=n == 999)
            read = await whole(stream)
        assert without_live(read) == log.bytes(after=1)
        found = offsets(read)  # live messages may be lost, after the last event too
        assert found
        assert found == sorted(set(found))


async def test_without_notifications_the_store_is_polled(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.01)
    store = MemoryStore()
    async with NotificationFilter(postgres_server.port).running() as dsn:
        both = (PostgresNotifications(dsn, echo_seconds=0.05) for _ in range(2))
        publishing, subscribing = both
        async with hub_over(publishing, store) as one, hub_over(subscribing, store) as other:
            log = await begun(HubPair(one, other), store)
            async with aclosing(log.read()) as stream:
                await anext(stream)
                for _ in range(3):
                    await log.add()
                    assert await anext(stream) == log.bytes(after=log.task.sequence - 1)
                await log.add(final=True)
                assert await whole(stream) == log.bytes(after=log.task.sequence - 1)


async def test_a_task_that_is_retried_after_its_end_goes_on(postgres: str) -> None:
    store = MemoryStore()
    async with hub_pair(postgres, store) as pair:
        log = await begun(pair, store)
        await log.add(final=True)
        assert await whole(log.read()) == log.bytes()
        log.task = replace(log.task, state=State.RUNNING)
        await log.add()
        async with aclosing(log.read(after=2)) as stream:
            assert await at_least(stream, 1) == log.bytes(after=2)
            await log.add(final=True)
            assert await whole(stream) == log.bytes(after=3)


async def test_what_is_published_as_a_process_stops_reaches_the_others(postgres: str) -> None:
    store = MemoryStore()
    async with hub_over(PostgresNotifications(postgres), store) as subscribing:
        async with hub_over(PostgresNotifications(postgres), store) as publishing:
            pair = HubPair(publishing, subscribing)
            logs = [await begun(pair, store) for _ in range(50)]
            readers = [asyncio.create_task(whole(log.read())) for log in logs]
            await settled()
            for log in logs:
                await log.add(final=True)
        assert await asyncio.gather(*readers) == [log.bytes() for log in logs]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
def test_in_any_order_of_operations_each_subscriber_gets_each_event_once(
    postgres: str, script: Sequence[tuple[str, Any]]
) -> None:
    async def run() -> None:
        ends = PostgresNotifications(postgres), PostgresNotifications(postgres)

        def make(store: Store) -> HubPair:
            return HubPair(*(PostgresHub(store, end) for end in ends))

        make(MemoryStore())  # registers the handlers
        async with ends[0].running(), ends[1].running():
            await play(make, script)

    asyncio.run(asyncio.wait_for(run(), 60))
