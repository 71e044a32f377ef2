"""Over a real PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from structlog.testing import capture_logs

from gencode.domain.errors import StoreUnusable
from gencode.hub.postgres.notifications import MAX_PAYLOAD, PostgresNotifications
from tests.servers.linked_hubs import NotificationFilter
from tests.servers.ports import reserve_port
from tests.servers.postgres import PostgresServer, running_postgres

CHANNEL = "gencode_test"

pytestmark = pytest.mark.usefixtures("patient_echo")


def receiving(notifications: PostgresNotifications) -> asyncio.Queue[str]:
    """What the others send on CHANNEL."""
    received: asyncio.Queue[str] = asyncio.Queue()
    notifications.handlers[CHANNEL] = received.put_nowait
    return received


def listening(notifications: PostgresNotifications) -> asyncio.Queue[bool]:
    """Each change of `is_listening`."""
    changes: asyncio.Queue[bool] = asyncio.Queue()
    notifications.on_change = lambda: changes.put_nowait(notifications.is_listening)
    return changes


@asynccontextmanager
async def two(dsn: str) -> AsyncIterator[tuple[PostgresNotifications, asyncio.Queue[str]]]:
    """Running: one that sends, and what another receives."""
    sender, receiver = PostgresNotifications(dsn), PostgresNotifications(dsn)
    received = receiving(receiver)
    async with sender.running(), receiver.running():
        yield sender, received


async def received_until(received: asyncio.Queue[str], last: str) -> list[str]:
    messages = [await received.get()]
    while messages[-1] != last:
        messages.append(await received.get())
    return messages


async def test_each_process_receives_what_the_others_send(postgres: str) -> None:
    both = [PostgresNotifications(postgres) for _ in range(2)]
    first, second = (receiving(one) for one in both)
    async with both[0].running(), both[1].running():
        assert all(one.is_listening for one in both)
        both[0].send(CHANNEL, "from the first 中")
        both[1].send(CHANNEL, "from the second")
        assert await first.get() == "from the second"
        assert await second.get() == "from the first 中"


async def test_equal_messages_are_delivered_as_often_as_they_were_sent(postgres: str) -> None:
    """PostgreSQL delivers equal notifications of a transaction once."""
    async with two(postgres) as (sender, received):
        for _ in range(3):
            sender.send_droppable(CHANNEL, "same")
        sender.send(CHANNEL, "end")
        assert await received_until(received, "end") == ["same", "same", "same", "end"]


async def test_messages_that_postgres_would_refuse_stop_no_others(postgres: str) -> None:
    async with two(postgres) as (sender, received):
        with capture_logs() as logs:
            for bad in ("x" * (MAX_PAYLOAD + 1), "中" * 2700, "a\0b", "\ud83d"):
                sender.send(CHANNEL, bad)
                sender.send_droppable(CHANNEL, bad)
        longest = "中" * (MAX_PAYLOAD // 3)
        sender.send(CHANNEL, longest)
        assert await received.get() == longest
        assert [entry["event"] for entry in logs] == ["a bug: a notification cannot be sent"] * 8


async def test_foreign_notifications_and_handlers_that_raise_stop_no_others(postgres: str) -> None:
    sender, receiver = PostgresNotifications(postgres), PostgresNotifications(postgres)
    received: asyncio.Queue[int] = asyncio.Queue()
    receiver.handlers[CHANNEL] = lambda text: received.put_nowait(int(text))
    async with sender.running(), receiver.running():
        async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as foreign:
            for payload in ("", "x", "x y", "x 1 no-number"):
                await foreign.execute("select pg_notify(%s, %s)", (CHANNEL, payload))
        sender.send(CHANNEL, "not a number")
        sender.send(CHANNEL, "7")
        assert await received.get() == 7


async def test_what_waits_when_the_process_stops_is_sent(postgres: str) -> None:
    receiver = PostgresNotifications(postgres)
    received = receiving(receiver)
    sender = PostgresNotifications(postgres)
    async with receiver.running():
        async with sender.running():
            for n in range(500):
                sender.send(CHANNEL, str(n))
        assert await received_until(received, "499") == [str(n) for n in range(500)]


async def test_what_the_block_raises_is_raised_as_it_is(postgres: str) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with PostgresNotifications(postgres).running():
            raise LookupError("mine")


@pytest.mark.parametrize("direct", ["", "postgresql://gencode@127.0.0.1/postgres"])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(direct: str) -> None:
    broken = "postgresql://gencode:geheim%%@127.0.0.1:5432/postgres"
    with pytest.raises(StoreUnusable, match="DATABASE_DIRECT_URL") as raised:
        PostgresNotifications(direct or broken, broken)
    assert "geheim" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_a_burst_of_messages_arrives_in_order(postgres: str) -> None:
    async with two(postgres) as (sender, received):
        for n in range(10_000):
            sender.send(CHANNEL, str(n))
        assert await received_until(received, "9999") == [str(n) for n in range(10_000)]


async def test_connections_that_are_ended_are_opened_again_and_nothing_is_sent_twice(
    postgres: str, postgres_server: PostgresServer
) -> None:
    """Droppable messages may be lost; kept ones are sent until the server confirms them."""
    sender, receiver = PostgresNotifications(postgres), PostgresNotifications(postgres)
    received, changes = receiving(receiver), listening(receiver)
    database = postgres.rpartition("/")[2]
    async with sender.running(), receiver.running():
        assert await changes.get()
        for n in range(3):
            for number in range(200):
                sender.send_droppable(CHANNEL, f"live {n} {number}")
            sender.send(CHANNEL, f"kept {n} before")
            await received_until(received, f"kept {n} before")
            postgres_server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                f"where application_name = 'gencode notifications' and datname = '{database}'"
            )
            assert [await changes.get(), await changes.get()] == [False, True]
            for number in range(200):
                sender.send_droppable(CHANNEL, f"live {n} {number}")
            sender.send(CHANNEL, f"kept {n} after")
            messages = await received_until(received, f"kept {n} after")
            live = [int(message.split()[2]) for message in messages if message.startswith("live")]
            assert live == sorted(set(live))


async def test_a_server_that_is_restarted_is_listened_to_again() -> None:
    with running_postgres() as server:
        sender, receiver = PostgresNotifications(server.dsn()), PostgresNotifications(server.dsn())
        received, changes = receiving(receiver), listening(receiver)
        async with sender.running(), receiver.running():
            assert await changes.get()
            server.stop("QUIT")
            assert not await changes.get()
            for n in range(100):
                sender.send(CHANNEL, str(n))
            server.start()
            assert await changes.get()
            sender.send(CHANNEL, "last")
            assert "last" in await received_until(received, "last")


async def test_a_server_that_is_away_at_the_start_is_waited_for() -> None:
    notifications = PostgresNotifications(f"postgresql://gencode@127.0.0.1:{reserve_port()}/postgres")
    with capture_logs() as logs:
        async with notifications.running():
            assert not notifications.is_listening
            for n in range(10):
                notifications.send(CHANNEL, str(n))
    assert {entry["event"] for entry in logs} <= {
        "notifications cannot be sent now",
        "notifications cannot be received now",
    }


async def test_listen_without_effect_is_found_out_and_reported_once(postgres_server: PostgresServer) -> None:
    async with NotificationFilter(postgres_server.port).running() as dsn:
        deaf = PostgresNotifications(dsn, echo_seconds=0.05)
        with capture_logs() as logs:
            async with deaf.running():
                assert not deaf.is_listening
        (warning,) = (entry["event"] for entry in logs if "LISTEN" in entry["event"])
        assert "DATABASE_DIRECT_URL" in warning


async def test_with_a_direct_address_besides_the_pooler_notifications_arrive(
    postgres_server: PostgresServer,
) -> None:
    async with NotificationFilter(postgres_server.port).running() as dsn:
        sender = PostgresNotifications(dsn, postgres_server.dsn())
        receiver = PostgresNotifications(dsn, postgres_server.dsn())
        received = receiving(receiver)
        async with sender.running(), receiver.running():
            assert receiver.is_listening
            sender.send(CHANNEL, "x")
            assert await received.get() == "x"


async def test_a_listening_connection_that_falls_silent_is_replaced(postgres_server: PostgresServer) -> None:
    """The other end is gone without a word, or a pooler has given the connection to another client."""
    proxy = NotificationFilter(postgres_server.port)
    proxy.is_deaf = False
    async with proxy.running() as dsn:
        notifications = PostgresNotifications(dsn, echo_seconds=0.05)
        changes = listening(notifications)
        async with notifications.running():
            assert await changes.get()
            proxy.is_deaf = True
            while await changes.get():
                pass
            proxy.is_deaf = False
            while not await changes.get():
                pass
