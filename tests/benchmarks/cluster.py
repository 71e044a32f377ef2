"""What PostgreSQL costs: the store, against SQLite on the same disk. Directory: the first argument."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from gencode.engine.ports.store import Store
from gencode.storage.postgres.store import open_postgres
from gencode.storage.sqlite.store import open_sqlite
from tests.benchmarks.accepts import accepts_per_second
from tests.servers.postgres import running_postgres
from tests.unit.storage.samples import REQUEST, a_task, an_event

ROUNDS = 5
TASKS = 64
COMMITS = 20  # of each task in each round, with a checkpoint
EVENTS = 8  # of each commit
DURABLE = """
fsync = on
full_page_writes = on
shared_buffers = 128MB
"""


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
    await asyncio.gather(*(work() for _ in range(TASKS)))
    return TASKS * COMMITS * EVENTS / (time.perf_counter() - begin)


async def stores(dsn: str, directory: Path) -> dict[str, list[float]]:
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


def main() -> None:
    parent = sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir()  # the server's user must reach it
    with (
        tempfile.TemporaryDirectory(dir=parent) as directory,
        running_postgres(DURABLE, Path(parent)) as server,
    ):
        print_stores(asyncio.run(stores(server.create_database(), Path(directory))))


if __name__ == "__main__":
    main()
