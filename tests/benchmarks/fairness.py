"""What one client's flood costs another: its latencies alone and beside the flood, in one run.

    python -m tests.benchmarks.fairness [REQUESTS]

The service is a process of its own with two keys. The other client asks one request after the other; the
flood is eight connections of the first client, in a process of their own, that ask the same at once. Runs
alone and beside the flood take turns, so that both have the same machine. Of each kind of request the table
has the 50th and 99th percentile in milliseconds, and the ratio of the 99th.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import httpx

from tests.servers.calls import BODY, FILES
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment, service

FLOOD, ROUNDS = 8, 3
KEYS = {"flood": "flood-key-000000", "other": "other-key-000000"}
Call = Callable[[httpx.AsyncClient, str], Awaitable[object]]


async def submit(http: httpx.AsyncClient, _task: str) -> object:
    return await http.post("/api/v1/generate", json=BODY)


async def estimate(http: httpx.AsyncClient, _task: str) -> object:
    return await http.post("/api/v1/estimate", json=BODY)


async def page(http: httpx.AsyncClient, _task: str) -> object:
    return await http.get("/api/v1/tasks?limit=100")


async def files(http: httpx.AsyncClient, task: str) -> object:
    return await http.get(f"/api/v1/task/{task}/files")


async def archive(http: httpx.AsyncClient, task: str) -> object:
    return await http.get(f"/api/v1/task/{task}/archive.zip")


async def stream(http: httpx.AsyncClient, task: str) -> object:
    return await http.get(f"/api/v1/status/{task}")


CALLS: dict[str, Call] = {
    "submit": submit,
    "estimate": estimate,
    "list": page,
    "files": files,
    "archive": archive,
    "stream open": stream,
}


async def latencies(call: Call, http: httpx.AsyncClient, task: str, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        await call(http, task)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def flood(url: str, name: str, task: str) -> None:
    """Until the process is killed."""

    async def ask() -> None:
        while True:
            await CALLS[name](http, task)

    async with authorised(url, "flood") as http:
        await asyncio.gather(*(ask() for _ in range(FLOOD)))


def authorised(url: str, client: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url, headers={"X-API-Key": KEYS[client]}, trust_env=False, verify=False, timeout=60
    )


async def beside_flood(name: str, http: httpx.AsyncClient, tasks: dict[str, str], count: int) -> list[float]:
    command = [sys.executable, "-m", "tests.benchmarks.fairness", "flood", str(http.base_url)]
    process = await anyio.open_process([*command, name, tasks["flood"]])
    try:
        await asyncio.sleep(1.5)
        return await latencies(CALLS[name], http, tasks["other"], count)
    finally:
        process.kill()
        await process.aclose()


async def in_turns(
    name: str, http: httpx.AsyncClient, tasks: dict[str, str], count: int
) -> tuple[list[float], list[float]]:
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        alone += await latencies(CALLS[name], http, tasks["other"], count // ROUNDS)
        beside += await beside_flood(name, http, tasks, count // ROUNDS)
    return alone, beside


def percentile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[int(part) - 1]


async def finished_task(http: httpx.AsyncClient) -> str:
    task = str((await http.post("/api/v1/generate", json=BODY)).json()["task_id"])
    await http.get(f"/api/v1/status/{task}")
    return task


async def measure(count: int) -> None:
    keys = ",".join(f"{name}={key}" for name, key in KEYS.items())
    with tempfile.TemporaryDirectory() as folder:
        async with model_server(plan_and_files(FILES)) as model:
            variables = environment(model, API_KEYS=keys, LOG_LEVEL="ERROR")
            async with service(Path(folder), variables) as process:
                await compare(process.url, count)


async def compare(url: str, count: int) -> None:
    tasks = {}
    for client in KEYS:
        async with authorised(url, client) as http:
            tasks[client] = await finished_task(http)
    print(f"{'':12} {'alone p50':>9} {'p99':>9} {'flood p50':>9} {'p99':>9} {'p99 ratio':>9}")
    async with authorised(url, "other") as http:
        for name in CALLS:
            alone, beside = await in_turns(name, http, tasks, count)
            figures = [percentile(values, part) for values in (alone, beside) for part in (50, 99)]
            shown = " ".join(f"{figure:>9.1f}" for figure in figures)
            print(f"{name:12} {shown} {figures[3] / figures[1]:>9.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        asyncio.run(flood(*sys.argv[2:5]))
    else:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
