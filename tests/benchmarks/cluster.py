"""What PostgreSQL costs, and several processes on one server.

    python -m tests.benchmarks.cluster stores [DIRECTORY]
    python -m tests.benchmarks.cluster events [EVENTS_PER_SECOND] [SECONDS]
    python -m tests.benchmarks.cluster workers [SECONDS_OF_A_CALL]

stores   what the store accepts and commits in a second, against SQLite on the same disk; goal: >= 0.6 of its
         accepts
events   from before the commit in one process to a subscriber in another, at so many events and as many live
         messages a second; goal at 1,000: p99 of the events <= 50 ms
workers  tasks that 1, 2 and 4 workers with 8 places each finish in a minute, with a model that takes so long
         for each call; goal: >= 0.95 of as many times what one worker finishes
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import anyio

from gencode.domain.event import Event
from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store
from gencode.hub.postgres.hub import PostgresHub
from gencode.hub.postgres.notifications import PostgresNotifications
from gencode.storage.postgres.store import PostgresStore, open_postgres
from gencode.storage.sqlite.store import open_sqlite
from tests.benchmarks.accepts import accepts_per_second
from tests.servers.calls import submit
from tests.servers.cluster import cluster
from tests.servers.model import Body, Reply, model_server, plan_and_files
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.service import environment
from tests.unit.engine.rig import new_task
from tests.unit.storage.samples import REQUEST, a_task, an_event

TASKS = 50
"""At the same time; each has one subscriber."""
SETTINGS = "fsync = on\nfull_page_writes = on\n"

ROUNDS = 5
WORKERS = 64  # tasks at the same time
COMMITS = 20  # of each in each round, with a checkpoint
EVENTS = 8  # of each commit

PLACES, TASKS_OF_A_PLACE = 8, 4
SECONDS_OF_A_CALL = 4.0

# --- the store against SQLite -----------------------------------------------------------------------


async def events_per_second(store: Store) -> float:
    """Tasks that work at the same time, each of which waits for its own commits."""

    async def work() -> None:
        task = a_task()
        await store.create(task, REQUEST, [])
        for _ in range(COMMITS):
            first = task.sequence + 1
            events = [an_event(task, id_, text="x" * 200) for id_ in range(first, first + EVENTS)]
            task = replace(task, version=task.version + 1, sequence=task.sequence + EVENTS)
            await store.commit(task, events, {f"piece:{task.version}": "x" * 2000})

    begin = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return WORKERS * COMMITS * EVENTS / (time.perf_counter() - begin)


async def measure_stores(dsn: str, directory: Path) -> dict[str, list[float]]:
    """The figures of each round."""
    figures: dict[str, list[float]] = {}
    async with open_postgres(dsn) as postgres, open_sqlite(directory / "gencode.db") as sqlite:
        for _ in range(ROUNDS):
            for name, store in (("PostgreSQL", postgres), ("SQLite", sqlite)):
                figures.setdefault(f"{name} accepts", []).append(await accepts_per_second(store))
                figures.setdefault(f"{name} events", []).append(await events_per_second(store))
    return figures


def print_stores(figures: dict[str, list[float]]) -> None:
    for what in ("accepts", "events"):
        postgres, sqlite = (median(figures[f"{name} {what}"]) for name in ("PostgreSQL", "SQLite"))
        print(f"PostgreSQL {postgres:8.0f} durable {what}/s")
        print(f"SQLite     {sqlite:8.0f} durable {what}/s")
        print(f"ratio      {postgres / sqlite:8.2f}")


def stores(parent: str = "") -> None:
    """The user of the server must reach `parent`."""
    parent = parent or tempfile.gettempdir()
    with (
        tempfile.TemporaryDirectory(dir=parent) as directory,
        running_postgres(SETTINGS + "shared_buffers = 128MB\n", Path(parent)) as server,
    ):
        print_stores(asyncio.run(measure_stores(server.create_database(), Path(directory))))


# --- the store and the hub of a process -------------------------------------------------------------


@asynccontextmanager
async def process(dsn: str) -> AsyncIterator[tuple[PostgresStore, PostgresHub]]:
    """Store and hub of one process."""
    notifications = PostgresNotifications(dsn)
    async with open_postgres(dsn) as store:
        hub = PostgresHub(store, notifications)
        async with notifications.running(), anyio.create_task_group() as group:
            group.start_soon(hub.run)
            yield store, hub
            group.cancel_scope.cancel()


# --- the process with the subscribers ---------------------------------------------------------------


def subscribe(dsn: str, task_ids: Sequence[str], results: Connection) -> None:
    asyncio.run(_subscribe(dsn, task_ids, results))


async def _subscribe(dsn: str, task_ids: Sequence[str], results: Connection) -> None:
    events: list[float] = []
    deltas: list[float] = []

    async def follow(hub: PostgresHub, task_id: str) -> None:
        async with aclosing(hub.subscribe(task_id, live=True)) as stream:
            async for chunk in stream:
                at = time.monotonic()
                for message in chunk.split(b"\n\n"):
                    if b'"at":' in message:
                        seconds = at - json.loads(message.partition(b"data: ")[2].split(b"\n")[0])["at"]
                        (deltas if message.startswith(b"event: delta") else events).append(seconds)

    async with process(dsn) as (_, hub), anyio.create_task_group() as group:
        for task_id in task_ids:
            group.start_soon(follow, hub, task_id)
        await anyio.sleep(1)
        results.send("ready")
        begin = time.process_time()
    results.send((events, deltas, time.process_time() - begin))


# --- the process that runs the tasks ----------------------------------------------------------------


async def run_task(
    store: PostgresStore, hub: PostgresHub, task: Task, interval: float, count: int, commits: list[float]
) -> None:
    """Emit an event and a live message each `interval` seconds. `commits`: the seconds that they took."""
    begin = time.monotonic()
    for n in range(1, count + 1):
        await anyio.sleep(max(0.0, begin + n * interval - time.monotonic()))
        hub.publish_live(task.id, {"about": "a.py", "offset": n, "text": "word ", "at": time.monotonic()})
        state = State.FAILED if n == count else State.RUNNING
        task = replace(task, sequence=task.sequence + 1, version=task.version + 1, state=state)
        event = Event(task_id=task.id, id=task.sequence, kind="file", data={"at": time.monotonic()})
        await store.commit(task, [event])
        commits.append(time.monotonic() - event.data["at"])
        hub.publish([event], is_final=n == count)


async def events(dsn: str, rate: int, seconds: int) -> None:
    commits: list[float] = []
    tasks = [new_task(state=State.RUNNING, stage="draft") for _ in range(TASKS)]
    async with process(dsn) as (store, hub):
        for task in tasks:
            await store.create(task, {}, [])
        results, child_end = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        child = spawn.Process(target=subscribe, args=(dsn, [task.id for task in tasks], child_end))
        child.start()
        await asyncio.to_thread(results.recv)
        begin = time.process_time()
        async with anyio.create_task_group() as group:
            for task in tasks:
                await anyio.sleep(1 / rate)  # they do not all begin at the same moment
                group.start_soon(run_task, store, hub, task, TASKS / rate, rate * seconds // TASKS, commits)
        event_times, delta_times, subscribing = await asyncio.to_thread(results.recv)
        publishing = time.process_time() - begin
        child.join()
    print(f"processor time: {publishing:.1f} s to commit and publish, {subscribing:.1f} s to receive")
    sent = rate * seconds // TASKS * TASKS
    for name, times in (("commits", commits), ("events", event_times), ("live messages", delta_times)):
        p50, p99 = quantiles(times, n=100)[49], quantiles(times, n=100)[98]
        print(
            f"{name:<13} {rate}/s for {seconds} s: {len(times)} of {sent}, "
            f"p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms, max {1000 * max(times):.1f} ms"
        )


# --- tasks of several workers -----------------------------------------------------------------------


async def tasks_per_minute(folder: Path, dsn: str, workers: int, seconds: float) -> float:
    """From the first submission to the end of the last of so many tasks that each place has four."""

    def slow(body: Body) -> Reply:
        answer = anyio.Event()
        asyncio.get_running_loop().call_later(seconds, answer.set)
        return plan_and_files({"a.py": "a = 1\n"}, gates={"": answer, "a.py": answer})(body)

    count = workers * PLACES * TASKS_OF_A_PLACE
    repositories = folder / "repositories"
    repositories.mkdir(parents=True)
    async with model_server(slow) as model:
        variables = environment(
            model,
            HOSTS=json.dumps({"disk": {"kind": "directory", "path": str(repositories)}}),
            MAX_CONCURRENT_TASKS=str(PLACES),
            MAX_MODEL_CALLS=str(count),
            MAX_WAITING_TASKS=str(count),
            RATE_LIMIT="100000/minute",
        )
        async with cluster(folder, dsn, variables, workers=workers) as it:
            begin = time.monotonic()
            for number in range(count):
                await submit(it.url, f"task-{number}")
            while True:
                ((finished,),) = await it.rows("SELECT count(*) FROM gencode.tasks WHERE state = 'succeeded'")
                if finished == count:
                    return 60 * count / (time.monotonic() - begin)
                await anyio.sleep(0.1)


async def measure_workers(server: PostgresServer, seconds: float) -> None:
    single = 0.0
    for workers in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            found = await tasks_per_minute(Path(folder), server.create_database(), workers, seconds)
        single = single or found
        print(f"{workers} workers: {found:6.1f} tasks/minute, {found / single / workers:.2f} of linear")


def main(arguments: list[str]) -> None:
    if not is_installed():
        print(MISSING)
        return
    what, *options = arguments or ["all"]
    assert what in ("all", "stores", "events", "workers"), __doc__
    if what in ("all", "stores"):
        stores(*options)
    if what in ("all", "events"):
        rate, seconds = [*map(int, options), *(1000, 10)[len(options) :]]
        with running_postgres(SETTINGS) as server:
            asyncio.run(events(server.create_database(), rate, seconds))
    if what in ("all", "workers"):
        with running_postgres() as server:
            asyncio.run(measure_workers(server, float(options[0]) if options else SECONDS_OF_A_CALL))


if __name__ == "__main__":
    main(sys.argv[1:])
