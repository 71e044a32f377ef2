"""Durable accepts a second, against a store that keeps nothing.

    python -m tests.benchmarks.accepts [FOLDER]

FOLDER lies on the disk to measure (default: a temporary one). Each round gives both stores the same work;
the medians of the rounds are compared.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from gencode.store import Store
from gencode.stores.memory import MemoryStore
from gencode.stores.sqlite import open_sqlite
from tests.unit.stores.samples import a_task, an_event

CALLERS = 1_000
ACCEPTS = 10  # of each caller in each round
ROUNDS = 7


async def accepts_per_second(store: Store) -> float:
    async def caller() -> None:
        for _ in range(ACCEPTS):
            task = a_task(request={"prompt": "x" * 200, "repo_name": "benchmark"})
            await store.create(task, [an_event(task, 1, status="pending", message="accepted")])

    begin = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return CALLERS * ACCEPTS / (time.perf_counter() - begin)


async def measure(folder: Path) -> tuple[float, float]:
    durable, forgetful = [], []
    async with open_sqlite(folder / "benchmark.db") as store:
        for _ in range(ROUNDS):
            durable.append(await accepts_per_second(store))
            forgetful.append(await accepts_per_second(MemoryStore()))
    return median(durable), median(forgetful)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        durable, forgetful = asyncio.run(measure(Path(folder)))
    print(f"{CALLERS} callers at once")
    print(f"SQLiteStore {durable:8.0f} durable accepts/s")
    print(f"MemoryStore {forgetful:8.0f} accepts/s, forgotten")
    print(f"ratio       {durable / forgetful:8.2f}")


if __name__ == "__main__":
    main()
