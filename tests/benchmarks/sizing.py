"""How large a cluster must be: measured costs of a message, and what follows for many tasks and subscribers.

    python -m tests.benchmarks.sizing

Costs are in CPU time, which other work on the machine hardly changes. They are measured with real processes
on a PostgreSQL server; what follows from them is arithmetic, with the assumptions of `Load`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import anyio

from gencode.domain.event import Event
from gencode.domain.task import State
from gencode.hub.postgres.hub import EVENTS, LIVE, PostgresHub
from gencode.hub.postgres.notifications import PostgresNotifications
from gencode.storage.postgres.store import open_postgres
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.unit.engine.rig import new_task

MESSAGES = 20_000
EVENTS_COMMITTED = 2_000
TASKS = 50
PER_TURN, TURN_SECONDS = 100, 0.02
TEXT = "x" * 120
TICKS = os.sysconf("SC_CLK_TCK")
LISTENERS = (1, 3)

STREAMS_PER_CORE = 370
DELIVERIES_PER_CORE = 122_000
SUBSCRIBER_BYTES = 17_300
"""From docs/benchmarks.md: streams of models, deliveries to subscribers, memory of one."""
NOTIFYING = 4_500
"""Statements that send notifications, a second: pgbench, 8 connections, 10 messages each, two busy cores."""
SENDS_LIVE, SENDS_MOST = 50, 200
"""Such statements of a worker a second: for live messages, and at most."""
CONNECTIONS = 16
"""Of a process to PostgreSQL at most: store 5, queue 6, messages 2, lock 1, limits 2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Microseconds of CPU time. `worker_*`: of the process that publishes; `web_*`: of each process that
    serves; `database_*`: of PostgreSQL, once and for each process that serves."""

    worker_event: float
    database_event: float
    worker_live: float
    database_live: float
    database_live_listener: float
    web_live: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What runs at once. A task has one stream of a model at a time, 50 tokens a second in
    pieces of two, and an event each three seconds. Half of the subscribers follow live messages, too."""

    tasks: int
    subscribers: int
    live_rate: float = 25
    event_rate: float = 0.3
    live_share: float = 0.5


# --- measuring --------------------------------------------------------------------------------------


def database_seconds(server: PostgresServer) -> float:
    """CPU time of the server and its connections so far."""
    postmaster = int((server.directory / "postmaster.pid").read_text().split()[0])
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(folder.name) == postmaster:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            total += sum(map(int, fields[11:13]))
    return total / TICKS


def listen(dsn: str, pipe: Connection) -> None:
    asyncio.run(_listen(dsn, pipe))


async def _listen(dsn: str, pipe: Connection) -> None:
    """A process that serves: tells its CPU time and what it has received whenever it is asked."""
    received = 0
    notifications = PostgresNotifications(dsn)
    async with open_postgres(dsn) as store:
        hub = PostgresHub(store, notifications)
        for channel in (EVENTS, LIVE):
            handle = notifications.handlers[channel]

            def counted(payload: str, handle: object = handle) -> None:
                nonlocal received
                received += 1
                handle(payload)  # type: ignore[operator]

            notifications.handlers[channel] = counted
        async with notifications.running(), anyio.create_task_group() as group:
            group.start_soon(hub.run)
            pipe.send("ready")
            while await anyio.to_thread.run_sync(pipe.recv):
                pipe.send((time.process_time(), received))
            group.cancel_scope.cancel()


@contextmanager
def listeners(dsn: str, count: int) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=listen, args=(dsn, theirs)) for _, theirs in pipes]
    for one in processes:
        one.start()
    ours = [pipe for pipe, _ in pipes]
    for pipe in ours:
        pipe.recv()
    yield ours
    for pipe in ours:
        pipe.send(False)
    for one in processes:
        one.join()


def asked(pipes: list[Connection]) -> list[tuple[float, int]]:
    for pipe in pipes:
        pipe.send(True)
    return [pipe.recv() for pipe in pipes]


@dataclass(slots=True)
class Spent:
    """CPU seconds: of this process, of the database, and the mean of the processes that serve."""

    worker: float
    database: float
    web: float
    received: float


async def spent(server: PostgresServer, pipes: list[Connection], work: object, count: int) -> Spent:
    """In microseconds per message, of `count`."""
    before, database, own = asked(pipes), database_seconds(server), time.process_time()
    await work()  # type: ignore[operator]
    await anyio.sleep(1)  # until all have arrived
    own, database, after = time.process_time() - own, database_seconds(server) - database, asked(pipes)
    web = sum(b[0] - a[0] for a, b in zip(before, after, strict=True)) / len(pipes)
    received = sum(b[1] - a[1] for a, b in zip(before, after, strict=True)) / len(pipes)
    scale = 1e6 / count
    return Spent(worker=own * scale, database=database * scale, web=web * scale, received=received / count)


async def measure(server: PostgresServer) -> Costs:
    found = {count: await _measured(server, count) for count in LISTENERS}
    (_, live_one), (events, live_many) = found[LISTENERS[0]], found[LISTENERS[1]]
    more = (live_many.database - live_one.database) / (LISTENERS[1] - LISTENERS[0])
    print(f"arrived of the live messages: {live_one.received:.0%}, {live_many.received:.0%}")
    return Costs(
        worker_event=events.worker,
        database_event=events.database,
        worker_live=live_one.worker,
        database_live=max(0.0, live_one.database - more),
        database_live_listener=max(0.0, more),
        web_live=live_one.web,
    )


async def _measured(server: PostgresServer, count: int) -> tuple[Spent, Spent]:
    """Of an event, and of a live message."""
    dsn = server.create_database()
    async with open_postgres(dsn) as store:
        with listeners(dsn, count) as pipes:
            notifications = PostgresNotifications(dsn)
            hub = PostgresHub(store, notifications, has_subscribers=False)
            tasks = [new_task(state=State.RUNNING) for _ in range(TASKS)]
            for task in tasks:
                await store.create(task, {"prompt": "x"}, [])

            async def commit(number: int) -> None:
                task = tasks[number]
                for _ in range(EVENTS_COMMITTED // TASKS):
                    task = replace(task, sequence=task.sequence + 1, version=task.version + 1)
                    event = Event(task_id=task.id, id=task.sequence, kind="file", data={"text": TEXT})
                    await store.commit(task, [event])
                    hub.publish([event])

            async def commits() -> None:
                async with anyio.create_task_group() as group:
                    for number in range(TASKS):
                        group.start_soon(commit, number)

            async def live() -> None:
                for number in range(MESSAGES // PER_TURN):
                    for place in range(PER_TURN):
                        hub.publish_live(
                            tasks[place % TASKS].id, {"about": "a.py", "offset": number, "text": TEXT}
                        )
                    await anyio.sleep(TURN_SECONDS)

            async with notifications.running():
                events = await spent(server, pipes, commits, EVENTS_COMMITTED)
                return events, await spent(server, pipes, live, MESSAGES)


# --- what follows -----------------------------------------------------------------------------------


def needs(load: Load, costs: Costs, webs: int, workers: int) -> Mapping[str, float]:
    """Each resource's share of its limit: 1 is its end. `webs`, `workers`: processes, each of one core.

    A process that serves receives the live messages of all tasks; a delivery to a subscriber costs as much as
    docs/benchmarks.md has measured.
    """
    live, events = load.tasks * load.live_rate, load.tasks * load.event_rate
    sends = min(SENDS_MOST, events / workers + (SENDS_LIVE if live else 0)) * workers
    followed = load.subscribers / max(1, load.tasks)
    deliveries = followed * (events + live * load.live_share)
    return {
        "workers: CPU": (
            load.tasks / STREAMS_PER_CORE + (live * costs.worker_live + events * costs.worker_event) / 1e6
        )
        / workers,
        "web: CPU for deliveries": deliveries / DELIVERIES_PER_CORE / webs,
        "web: CPU for messages of others": live * costs.web_live / 1e6,
        "web: memory (1 GiB each)": load.subscribers * SUBSCRIBER_BYTES / webs / 2**30,
        "PostgreSQL: CPU (8 cores)": (
            live * (costs.database_live + webs * costs.database_live_listener) + events * costs.database_event
        )
        / 8e6,
        "PostgreSQL: statements that notify": sends / NOTIFYING,
        "PostgreSQL: connections (500)": (webs + workers) * CONNECTIONS / 500,
    }


def table(costs: Costs) -> Iterator[str]:
    yield "| tasks | subscribers | web processes | workers | resource that ends first | share of its limit |"
    yield "|---|---|---|---|---|---|"
    for load, webs, workers in (
        (Load(tasks=100, subscribers=1_000), 2, 2),
        (Load(tasks=1_000, subscribers=10_000), 4, 8),
        (Load(tasks=1_000, subscribers=100_000), 16, 8),
        (Load(tasks=5_000, subscribers=50_000), 8, 20),
        (Load(tasks=10_000, subscribers=100_000), 16, 40),
        (Load(tasks=10_000, subscribers=100_000, live_rate=0), 16, 40),
    ):
        shares = sorted(needs(load, costs, webs, workers).items(), key=lambda item: -item[1])
        listed = "; ".join(f"{name} {share:.2f}" for name, share in shares[:3])
        what = f"{load.tasks:,}" + ("" if load.live_rate else " (no live messages)")
        yield f"| {what} | {load.subscribers:,} | {webs} | {workers} | {shares[0][0]} | {listed} |"


def main() -> None:
    if not is_installed():
        print(MISSING)
        return
    with running_postgres("fsync = on\n") as server:
        costs = asyncio.run(measure(server))
    for name in Costs.__slots__:
        print(f"{name}: {getattr(costs, name):.0f} us")
    for line in table(costs):
        print(line)


if __name__ == "__main__":
    main()
