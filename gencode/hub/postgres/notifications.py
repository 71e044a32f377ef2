"""Messages between the processes that share a PostgreSQL database, by NOTIFY and LISTEN."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from gencode.domain.errors import StoreUnusable
from gencode.hub.postgres.outgoing_messages import OutgoingMessages

log = structlog.get_logger(__name__)

MAX_PAYLOAD = 7_900
"""Bytes of UTF-8 in a payload. PostgreSQL's limit of 8,000 counts what `send` puts before it."""
MIN_INTERVAL = 0.005
"""Seconds between two statements: at a high rate they send more messages each."""
ECHO_SECONDS = 10.0
"""How often a process proves that its own notifications reach it."""
FIRST_ECHO_SECONDS = 5.0
START_SECONDS = 1.0
"""The start waits this long for the first of them."""
SEND_SECONDS = 10.0
"""A statement that takes longer has lost its connection."""
FLUSH_SECONDS = 2.0
"""Seconds for sending what waits when the process stops."""
FIRST_BACKOFF = 0.1
MAX_BACKOFF = 5.0
"""Seconds between two attempts to connect."""

_NOTIFY = """
with local as materialized (select set_config('synchronous_commit', 'off', true))
select count(*) from (
    select pg_notify(channel, payload)
    from local, unnest(%s::text[], %s::text[]) as message(channel, payload) offset 0
) as sent
"""
"""PostgreSQL flushes its log for a transaction that notifies, which nothing here needs. The setting lasts for
the transaction only, so that the statement also works through PgBouncer."""
_DEFAULTS: Mapping[str, Any] = {
    "application_name": "gencode notifications",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_FAILURES = (psycopg.Error, OSError, TimeoutError)

Connection = psycopg.AsyncConnection[Any]
Handler = Callable[[str], None]
"""Takes the payload of a message of another process."""


class NotListeningError(Exception):
    """LISTEN was accepted, and a notification of this process did not come back to it."""


class PostgresNotifications:
    """Sends to and receives from the other processes while it runs. Raises StoreUnusable for an address that
    cannot be read.

    dsn          of the database, perhaps through a connection pooler
    direct_dsn   of the same database without a pooler; "": `dsn` is direct. A pooler in transaction mode
                 accepts LISTEN and delivers nothing, which is found out by a notification to oneself
    handlers     by channel, an SQL identifier; to be complete before `running`. Own messages are not received
    on_change    called whenever `is_listening` changes. After it became True something may have been missed:
                 messages that were sent before are not delivered
    """

    def __init__(self, dsn: str, direct_dsn: str = "", echo_seconds: float = ECHO_SECONDS) -> None:
        self.handlers: dict[str, Handler] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.is_listening = False
        self._parameters = {**_DEFAULTS, **_parsed(direct_dsn or dsn)}
        self._origin = uuid.uuid4().hex[:12]
        self._echo_seconds = echo_seconds
        self._echo_channel = f"gencode_echo_{self._origin}"
        self._echo_is_missing = False
        self._was_warned = False
        self._has_tried = anyio.Event()
        self._outgoing = OutgoingMessages()

    # --- sending ------------------------------------------------------------------------------------

    def send(self, channel: str, payload: str, key: str | None = None) -> None:
        """Deliver to the present listeners, perhaps twice. Never waits.

        key   of two messages of the channel with the same key that wait, only the later is sent; None: the
              payload
        """
        if _is_sendable(payload):
            self._outgoing.put(channel, payload if key is None else key, payload)

    def send_droppable(self, channel: str, payload: str) -> None:
        """Deliver at most once. Never waits; the oldest are lost when too many wait."""
        if _is_sendable(payload):
            self._outgoing.put_droppable(channel, payload)

    # --- running ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens within the block, as soon as it can; what waits at its end is sent.

        What the block raises is raised as it is, not in a group.
        """
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_sending)
            group.start_soon(self._keep_listening)
            with anyio.move_on_after(START_SECONDS):
                await self._has_tried.wait()
            try:
                yield
            except Exception as error:
                failure = error
            group.cancel_scope.cancel()
        if failure:
            raise failure

    async def _keep_sending(self) -> None:
        backoff = _Backoff()
        while True:
            try:
                async with self._connection() as connection:
                    await self._send_over(connection, backoff)
            except _FAILURES as error:
                log.warning("notifications cannot be sent now", reason=_reason(error))
            await backoff.sleep()

    async def _send_over(self, connection: Connection, backoff: _Backoff) -> None:
        try:
            while True:
                await self._outgoing.wait()
                await self._send_waiting(connection, SEND_SECONDS)
                backoff.reset()
                await anyio.sleep(MIN_INTERVAL)
        except anyio.get_cancelled_exc_class():
            with suppress(*_FAILURES):
                await self._send_waiting(connection, FLUSH_SECONDS)
            raise

    async def _send_waiting(self, connection: Connection, seconds: float) -> None:
        """Each with origin and number: PostgreSQL delivers equal notifications of a transaction once."""
        batch = self._outgoing.take()
        if not (messages := batch.messages):
            return
        channels = [message.channel for message in messages]
        payloads = [f"{self._origin} {message.number} {message.payload}" for message in messages]
        try:
            with anyio.fail_after(seconds, shield=True):
                await connection.execute(_NOTIFY, (channels, payloads))
        except _FAILURES:
            self._outgoing.restore(batch)
            raise

    # --- receiving ----------------------------------------------------------------------------------

    async def _keep_listening(self) -> None:
        backoff = _Backoff()
        while True:
            try:
                async with self._connection() as connection:
                    await self._listen(connection, backoff)
            except NotListeningError:
                self._warn_that_nothing_arrives()
            except _FAILURES as error:
                log.warning("notifications cannot be received now", reason=_reason(error))
            self._set_listening(False)
            await backoff.sleep()

    async def _listen(self, connection: Connection, backoff: _Backoff) -> None:
        for channel in (*self.handlers, self._echo_channel):
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        if not await self._receive(connection, min(FIRST_ECHO_SECONDS, self._echo_seconds)):
            raise NotListeningError
        backoff.reset()
        while await self._receive(connection, self._echo_seconds):
            pass
        raise TimeoutError("the notifications of this process do not arrive any more")

    async def _receive(self, connection: Connection, seconds: float) -> bool:
        """Receive for this many seconds; returns whether an own notification has arrived meanwhile."""
        self._echo_is_missing = True
        self.send(self._echo_channel, "")
        async for notify in connection.notifies(timeout=seconds):
            if notify.channel == self._echo_channel:
                self._echo_is_missing = False
                self._set_listening(True)
            else:
                self._handle(notify.channel, notify.payload)
        return not self._echo_is_missing

    def _handle(self, channel: str, payload: str) -> None:
        if payload.startswith(self._origin):
            return
        try:
            _origin, _number, body = payload.split(" ", 2)
            self.handlers[channel](body)
        except Exception:
            log.exception("a notification was ignored", channel=channel)

    def _set_listening(self, is_listening: bool) -> None:
        has_changed, self.is_listening = self.is_listening != is_listening, is_listening
        self._has_tried.set()
        if has_changed:
            self.on_change()

    def _warn_that_nothing_arrives(self) -> None:
        if not self._was_warned:
            self._was_warned = True
            log.warning(
                "PostgreSQL accepts LISTEN, but no notification arrives: the address of the database "
                "probably leads to a pooler in transaction mode, such as PgBouncer. Until one arrives, "
                "events of other processes are read from the database every second. Set "
                "DATABASE_DIRECT_URL to the address of the database without the pooler"
            )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await psycopg.AsyncConnection.connect(
            **self._parameters, autocommit=True, prepare_threshold=None
        )
        try:
            yield connection
        finally:
            await connection.close()


class _Backoff:
    """Longer pauses after each failure. They differ between processes, so that not all connect at once."""

    def __init__(self) -> None:
        self._seconds = FIRST_BACKOFF

    def reset(self) -> None:
        self._seconds = FIRST_BACKOFF

    async def sleep(self) -> None:
        await anyio.sleep(self._seconds * random.uniform(0.5, 1.0))  # noqa: S311
        self._seconds = min(2 * self._seconds, MAX_BACKOFF)


def _parsed(dsn: str) -> dict[str, Any]:
    try:
        return {name: value for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.Error:  # it may quote the password
        raise StoreUnusable(
            "DATABASE_URL or DATABASE_DIRECT_URL cannot be read: write it as "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password as %XX"
        ) from None


def _is_sendable(payload: str) -> bool:
    """A statement with one that PostgreSQL refuses would fail as a whole, again and again."""
    try:
        size = len(payload.encode())
    except UnicodeEncodeError:  # a lone surrogate
        size = MAX_PAYLOAD + 1
    if size > MAX_PAYLOAD or "\0" in payload:
        log.error("a bug: a notification cannot be sent", begin=payload[:100])
        return False
    return True


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
