"""Checks of a cluster: the database, its tables, notifications, workers and other processes, what waits.

None of them makes or changes a table.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import psycopg

from gencode import __version__
from gencode.bootstrap.application_name import GROUPS, ProcessName, digests, parsed_name
from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.domain.errors import StoreUnusable
from gencode.queue.procrastinate.inspection import QueueState, inspect_queue
from gencode.queue.procrastinate.schema import is_current
from gencode.settings import Settings
from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import detail
from gencode.storage.postgres.migrations import stored_version
from gencode.storage.postgres.schema import VERSION

NOTIFICATION_SECONDS = 5.0
LONG_WAIT = 900.0
"""Seconds that a task may wait before it is noted."""
_SERVER = b"SELECT current_setting('server_version'), current_setting('max_connections')::int"
_NAMES = (
    b"SELECT application_name FROM pg_stat_activity"
    b" WHERE datname = current_database() AND application_name LIKE 'gencode %%'"
)


async def check_cluster(settings: Settings) -> AsyncIterator[CheckResult]:
    dsn, direct = settings.database_url.get_secret_value(), settings.database_direct_url.get_secret_value()
    try:
        connection = await connect(dsn)
    except (psycopg.Error, StoreUnusable) as error:
        yield _unreachable("database", dsn, error)
        return
    try:
        yield await _check_server(connection, dsn)
        tables = await _check_tables(connection)
        yield tables
        yield await _check_notifications(connection, direct or dsn)
        if tables.state == "ok" and await stored_version(connection.raw):
            queue = await inspect_queue(connection.raw, settings.worker_stale_seconds)
            for result in (_check_workers(queue), _check_waiting(queue)):
                yield result
            for result in _check_processes(await _processes(connection), settings):
                yield result
    except psycopg.Error as error:
        yield _unreachable("database", dsn, error)
    finally:
        await connection.close()


def _unreachable(about: str, dsn: str, error: psycopg.Error | StoreUnusable) -> CheckResult:
    """Its message says what to do."""
    text = error.message if isinstance(error, StoreUnusable) else f"{place(dsn)}: {detail(error)}"
    message, _, advice = text.partition(": check ")
    return fault(about, message, f"check {advice}" if advice else "see docs/cluster.md")


async def _check_server(connection: Connection, dsn: str) -> CheckResult:
    ((version, connections),) = await connection.fetch(_SERVER)
    return ok("database", f"{place(dsn)} answers: PostgreSQL {version}, at most {connections} connections")


async def _check_tables(connection: Connection) -> CheckResult:
    try:
        version = await stored_version(connection.raw)
        has_queue = await is_current(connection.raw)
    except StoreUnusable as error:
        return fault("tables", error.message, "nothing starts until then")
    if version is None or not has_queue:
        return ok("tables", "none yet; they are made at the first start")
    if version < VERSION:
        return note(
            "tables",
            f"they have version {version}, and this gencode brings them to {VERSION} at its start",
            "make a backup (pg_dump), and stop all processes of the older version first",
        )
    return ok("tables", f"they have the version of this gencode ({VERSION})")


async def _check_notifications(sender: Connection, direct: str) -> CheckResult:
    """One is sent through DATABASE_URL, and must arrive at a connection as the processes have it."""
    about, channel = "notifications", f"gencode_doctor_{uuid.uuid4().hex[:12]}"
    try:
        listener = await connect(direct)
    except (psycopg.Error, StoreUnusable) as error:
        return _unreachable(about, direct, error)
    try:
        await listener.raw.execute(f"LISTEN {channel}".encode())
        await sender.raw.execute(f"NOTIFY {channel}".encode())
        async for _ in listener.raw.notifies(timeout=NOTIFICATION_SECONDS, stop_after=1):
            return ok(about, "they arrive")
    finally:
        await listener.close()
    return fault(
        about,
        "PostgreSQL accepts LISTEN, and nothing arrives: events are read from the database every second",
        "set DATABASE_DIRECT_URL to the address of the same database without a pooler such as PgBouncer",
    )


def _check_workers(queue: QueueState) -> CheckResult:
    dead = f"; {queue.stale} sent no heartbeat" if queue.stale else ""
    if not queue.alive:
        return note("workers", f"none is alive{dead}", "start some: gencode worker; until then tasks wait")
    if queue.stale:
        return note("workers", f"{queue.alive} are alive{dead}", "look at the logs of those that died")
    return ok("workers", f"{queue.alive} are alive")


def _check_waiting(queue: QueueState) -> CheckResult:
    if not queue.waiting:
        return ok("queue", "nothing waits")
    message = f"{queue.waiting} tasks wait, the oldest for {queue.longest_wait:.0f} s"
    if queue.longest_wait > LONG_WAIT:
        return note("queue", message, "start more workers, or raise MAX_CONCURRENT_TASKS")
    return ok("queue", message)


async def _processes(connection: Connection) -> Sequence[ProcessName]:
    names = [parsed_name(name) for (name,) in await connection.fetch(_NAMES)]
    return [name for name in names if name]


def _check_processes(found: Sequence[ProcessName], settings: Settings) -> Iterator[CheckResult]:
    about = "processes"
    if not found:
        yield note(about, "none runs", "start them: gencode serve --role web, gencode worker")
        return
    roles = Counter(f"{one.role} {one.version}" for one in found)
    listed = ", ".join(f"{count} of {name}" for name, count in sorted(roles.items()))
    if {one.version for one in found} != {__version__}:
        yield note(
            about, f"{listed}; this is {__version__}", "bring all to one version when the upgrade ends"
        )
    else:
        yield ok(about, listed)
    if differing := _differing(found, settings):
        yield note(
            "shared settings",
            f"not all processes and this shell have the same: {', '.join(differing)}",
            "compare their environments; what one process accepts, another one runs",
        )


def _differing(found: Sequence[ProcessName], settings: Settings) -> list[str]:
    """The groups of settings that differ. Those of other versions cannot be compared."""
    known: list[Any] = [digests(settings), *(one.digests for one in found if one.version == __version__)]
    return [
        name for name, values in zip(GROUPS, zip(*known, strict=False), strict=False) if len({*values}) > 1
    ]
