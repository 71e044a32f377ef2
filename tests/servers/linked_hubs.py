"""Hubs of several processes in one process, linked at once or by a PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

from gencode.domain.event import Event
from gencode.engine.ports.hub import Hub, Subscription
from gencode.engine.ports.store import Store
from gencode.hub.postgres.hub import EVENTS, PostgresHub
from gencode.hub.postgres.notifications import PostgresNotifications
from tests.servers.tcp import tcp_connection, tcp_server


class LinkedNotifications:
    """See gencode.hub.postgres.hub.Notifications. The `others` receive at once what is sent, if they are
    listening.

    max_text   of announced events; longer ones are announced without
    """

    def __init__(self, max_text: int = 10**6) -> None:
        self.handlers: dict[str, Callable[[str], None]] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.is_listening = True
        self.others: list[LinkedNotifications] = []
        self._max_text = max_text

    def send(self, channel: str, payload: str, key: str | None = None) -> None:
        if channel == EVENTS:
            *head, text = payload.split(" ", 3)
            payload = " ".join([*head, text if len(text) <= self._max_text else ""])
        self.send_droppable(channel, payload)

    def send_droppable(self, channel: str, payload: str) -> None:
        for other in self.others:
            if other.is_listening and channel in other.handlers:
                other.handlers[channel](payload)


class HubPair:
    """A hub whose publishers are in one process and whose subscribers are in another."""

    def __init__(self, publishing: Hub, subscribing: Hub) -> None:
        self.publishing = publishing
        self.subscribing = subscribing

    @classmethod
    def linked(cls, store: Store, max_text: int = 10**6) -> HubPair:
        ends = LinkedNotifications(max_text), LinkedNotifications(max_text)
        for end, other in zip(ends, reversed(ends), strict=True):
            end.others.append(other)
        publishing, subscribing = (PostgresHub(store, end) for end in ends)
        return cls(publishing, subscribing)

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        self.publishing.publish(events, is_final)

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        self.publishing.publish_live(task_id, data)

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> Subscription:
        return self.subscribing.subscribe(task_id, after, live)

    def close(self) -> None:
        self.publishing.close()
        self.subscribing.close()


@asynccontextmanager
async def hub_over(notifications: PostgresNotifications, store: Store) -> AsyncIterator[PostgresHub]:
    """The hub of a process; it has looked at the store when its notifications begin to arrive."""
    hub = PostgresHub(store, notifications)
    async with notifications.running(), anyio.create_task_group() as group:
        group.start_soon(hub.run)
        yield hub
        group.cancel_scope.cancel()


@asynccontextmanager
async def hub_pair(dsn: str, store: Store) -> AsyncIterator[HubPair]:
    """Two processes that share a database."""
    publishing, subscribing = (PostgresNotifications(dsn) for _ in range(2))
    async with hub_over(publishing, store) as one, hub_over(subscribing, store) as other:
        yield HubPair(one, other)


class NotificationFilter:
    """A proxy before PostgreSQL that passes everything on but notifications. So it is behind PgBouncer in
    transaction mode: LISTEN is answered and has no effect."""

    def __init__(self, port: int) -> None:
        self.is_deaf = True
        self._port = port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The address of the database `postgres` behind it."""
        async with tcp_server(self._serve) as port:
            yield f"postgresql://gencode@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with tcp_connection(self._port) as (upstream, to_upstream), anyio.create_task_group() as group:
            group.start_soon(_pass_on, reader, to_upstream)
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while message := await _message(upstream):
                    if message[:1] != b"A" or not self.is_deaf:  # NotificationResponse
                        writer.write(message)
            group.cancel_scope.cancel()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Type, length, body."""
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
