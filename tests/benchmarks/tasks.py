"""1,000 tasks at once through the engine: the time it adds to their stages, and the memory of a task."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from gencode.bootstrap.serve import tune_garbage_collector
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.pipeline import Emit
from gencode.engine.ports.store import Store
from gencode.engine.service import TaskService
from gencode.hub.in_process import InProcessHub
from gencode.observability.logs import configure_logging
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.storage.memory import MemoryStore
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.engine.rig import Spelling, new_task

TASKS = 1_000
SHORTEST, LONGEST = 2.0, 4.0  # seconds of a stage
TICK = 0.005


class Sleeping:
    """A pipeline whose stages sleep; `slept`: seconds by task."""

    def __init__(self) -> None:
        self._chance = random.Random(4)
        self.slept: dict[asyncio.Task[object] | None, float] = {}
        sleep = self._sleep
        self.pipeline = Spelling(w=sleep, x=sleep, y=sleep, z=sleep)

    async def _sleep(self, send: Emit) -> None:
        seconds = self._chance.uniform(SHORTEST, LONGEST)
        worker = asyncio.current_task()  # each of them has one task only: there are as many as tasks
        self.slept[worker] = self.slept.get(worker, 0) + seconds
        await anyio.sleep(seconds)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Store]:
    if kind == "memory":
        yield MemoryStore()
        return
    with tempfile.TemporaryDirectory() as folder:
        async with open_sqlite(Path(folder) / "benchmark.db") as store:
            yield store


async def watch(lags: list[float], sizes: list[int]) -> None:
    """Measures how late the loop runs a timer, and how large the process is."""
    while True:
        begin = time.perf_counter()
        await anyio.sleep(TICK)
        lags.append(time.perf_counter() - begin - TICK)
        sizes.append(resident())


async def measure(kind: str, count: int) -> None:
    configure_logging("INFO", "json", tuple)
    tune_garbage_collector()  # as the service does when it starts
    workload, lags, sizes = Sleeping(), [0.0], [0]
    async with opened(kind) as store, anyio.create_task_group() as tg:
        hub, metrics = InProcessHub(store), Metrics()
        executor = TaskExecutor(store, {"letters": workload.pipeline}, metrics, timeout=600)
        task_service = TaskService(executor, store, hub, FairQueue(count), metrics, concurrency=count)
        before = resident()
        await tg.start(task_service.run)
        tg.start_soon(watch, lags, sizes)
        begin = time.perf_counter()
        await asyncio.gather(*(task_service.submit(new_task(), {"prompt": "a word"}) for _ in range(count)))
        while task_service.running or task_service.waiting:
            await anyio.sleep(TICK)
        wall = time.perf_counter() - begin
        tg.cancel_scope.cancel()
    assert workload.pipeline.finished["z"] == count
    report(kind, wall / max(workload.slept.values()), (max(sizes) - before) / count, sorted(lags))


def report(kind: str, ratio: float, size: float, lags: list[float]) -> None:
    p99 = lags[len(lags) * 99 // 100] * 1000
    print(f"{kind:<7} wall/ideal {ratio:5.3f}   {size / 1024:5.1f} KB a task   "
          f"loop late by {p99:5.1f} ms (p99), {lags[-1] * 1000:.0f} ms at worst", flush=True)  # fmt: skip


def main(count: int = TASKS) -> None:
    print(f"{count} tasks at once, four stages of {SHORTEST:g} to {LONGEST:g} s each", flush=True)
    for kind in ("memory", "sqlite"):
        command = [sys.executable, "-m", "tests.benchmarks.tasks", str(count), kind]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # where the log goes


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(measure(sys.argv[2], int(sys.argv[1])))
    else:
        main(*map(int, sys.argv[1:]))
