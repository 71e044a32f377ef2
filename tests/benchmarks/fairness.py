"""What one client's flood costs another: its latencies alone and beside the flood, in one run.

    python -m tests.benchmarks.fairness [REQUESTS [KIND...]]

The service is a process of its own with two keys. The other client asks one request after the other; the
flood is eight connections of the first client, in a process of their own, that ask the same at once: of the
same service, or (as a control) of a second one, so that only the machine is shared. The three runs take
turns, so that all have the same machine. Of each kind of request the table has the 50th and 99th percentile
in milliseconds, and the ratio of the 99th to the one alone and to the control.

    python -m tests.benchmarks.fairness answers

counts how many answers the flood gets while the other client waits for one, which does not depend on the
machine: service, flood and other client take turns in one event loop.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
from pydantic import SecretStr

from tests.servers.calls import BODY, FILES
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings

FLOOD, LARGE_FLOOD, ROUNDS = 8, 60, 3
KEYS = {"flood": "flood-key-000000", "other": "other-key-000000"}
Call = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A running service, with a finished task of each client."""

    url: str
    tasks: Mapping[str, str]


async def submit(http: httpx.AsyncClient, _task: str) -> httpx.Response:
    return await http.post("/api/v1/generate", json=BODY)


async def estimate(http: httpx.AsyncClient, _task: str) -> httpx.Response:
    return await http.post("/api/v1/estimate", json=BODY)


async def page(http: httpx.AsyncClient, _task: str) -> httpx.Response:
    return await http.get("/api/v1/tasks?limit=100")


async def files(http: httpx.AsyncClient, task: str) -> httpx.Response:
    return await http.get(f"/api/v1/task/{task}/files")


async def archive(http: httpx.AsyncClient, task: str) -> httpx.Response:
    return await http.get(f"/api/v1/task/{task}/archive.zip")


async def view(http: httpx.AsyncClient, task: str) -> httpx.Response:
    return await http.get(f"/api/v1/task/{task}")


async def stream(http: httpx.AsyncClient, task: str) -> httpx.Response:
    return await http.get(f"/api/v1/status/{task}")


CALLS: dict[str, Call] = {
    "submit": submit,
    "estimate": estimate,
    "list": page,
    "files": files,
    "archive": archive,
    "stream open": stream,
    "task": view,
}
COUNTED = ("task", "files", "list", "stream open")


async def latencies(call: Call, http: httpx.AsyncClient, task: str, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        (await call(http, task)).raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def flood(url: str, name: str, task: str) -> None:
    """Until the process is killed. Prints a line when each connection has had an answer."""

    async def ask() -> None:
        while True:
            await CALLS[name](http, task)

    async with authorised(url, "flood") as http:
        await asyncio.gather(*(CALLS[name](http, task) for _ in range(FLOOD)))
        print("flooding", flush=True)
        await asyncio.gather(*(ask() for _ in range(FLOOD)))


def authorised(url: str, client: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers={"X-API-Key": KEYS[client]},
        trust_env=False,
        verify=False,
        timeout=60,
        limits=httpx.Limits(max_keepalive_connections=None),
    )


async def beside_flood(
    name: str, http: httpx.AsyncClient, flooded: Target, task: str, count: int
) -> list[float]:
    """The latencies of `task` while the first client floods `flooded`."""
    command = [sys.executable, "-m", "tests.benchmarks.fairness", "flood", flooded.url]
    process = await anyio.open_process([*command, name, flooded.tasks["flood"]])
    try:
        assert process.stdout
        await process.stdout.receive()
        return await latencies(CALLS[name], http, task, count)
    finally:
        process.kill()
        await process.aclose()


async def in_turns(
    name: str, http: httpx.AsyncClient, service: Target, control: Target, count: int
) -> tuple[list[float], list[float], list[float]]:
    """Alone, beside a flood of the control, beside a flood of the same service."""
    task, each = service.tasks["other"], count // ROUNDS
    alone: list[float] = []
    elsewhere: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        alone += await latencies(CALLS[name], http, task, each)
        elsewhere += await beside_flood(name, http, control, task, each)
        beside += await beside_flood(name, http, service, task, each)
    return alone, elsewhere, beside


def percentile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[int(part) - 1]


async def finished_task(http: httpx.AsyncClient) -> str:
    body = BODY | {"repo_name": f"hello-{time.time_ns()}"}  # a taken name fails before the model is asked
    task = str((await http.post("/api/v1/generate", json=body)).json()["task_id"])
    await http.get(f"/api/v1/status/{task}")
    return task


@asynccontextmanager
async def target(model: ModelServer) -> AsyncIterator[Target]:
    keys = ",".join(f"{name}={key}" for name, key in KEYS.items())
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(model, API_KEYS=keys, LOG_LEVEL="ERROR", RATE_LIMIT="1000000/minute")
        async with service(Path(folder), variables) as process:
            tasks = {}
            for client in KEYS:
                async with authorised(process.url, client) as http:
                    tasks[client] = await finished_task(http)
            yield Target(url=process.url, tasks=tasks)


async def measure(count: int, names: Sequence[str]) -> None:
    async with model_server(plan_and_files(FILES)) as model, target(model) as ours, target(model) as control:
        print(
            f"{'':12} {'alone p50':>9} {'p99':>9} {'control':>9} {'p99':>9} {'flood':>9} {'p99':>9}  ratios"
        )
        async with authorised(ours.url, "other") as http:
            for name in names:
                runs = await in_turns(name, http, ours, control, count)
                figures = [percentile(values, part) for values in runs for part in (50, 99)]
                shown = " ".join(f"{figure:>9.1f}" for figure in figures)
                print(
                    f"{name:12} {shown}  {figures[5] / figures[1]:.1f} {figures[5] / figures[3]:.1f}",
                    flush=True,
                )


async def count_answers() -> None:
    keys = ",".join(f"{name}={key}" for name, key in KEYS.items())
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(Path(folder), api_keys=SecretStr(keys))
        async with running_app(chosen) as app, AsyncExitStack() as stack:
            clients = {who: await stack.enter_async_context(authorised(app.url, who)) for who in KEYS}
            tasks = {who: await finished_task(http) for who, http in clients.items()}
            for name in COUNTED:
                for size in (FLOOD, LARGE_FLOOD):
                    found = await answers_in_between(CALLS[name], clients, tasks, size)
                    shown = f"median {statistics.median(found)}, most {max(found)}"
                    print(f"{name:12} {size:>3} connections: {shown}")


async def answers_in_between(
    call: Call, clients: Mapping[str, httpx.AsyncClient], tasks: Mapping[str, str], size: int
) -> list[int]:
    """Of each request of the other client, how many answers the flood got until it was answered."""
    answers, found = 0, []

    async def ask() -> None:
        nonlocal answers
        while True:
            await call(clients["flood"], tasks["flood"])
            answers += 1

    async with anyio.create_task_group() as group:
        for _ in range(size):
            group.start_soon(ask)
        while answers < size:
            await asyncio.sleep(0.01)
        for _ in range(30):
            before = answers
            (await call(clients["other"], tasks["other"])).raise_for_status()
            found.append(answers - before)
        group.cancel_scope.cancel()
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        asyncio.run(flood(*sys.argv[2:5]))
    elif sys.argv[1:2] == ["answers"]:
        asyncio.run(count_answers())
    else:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2:] or list(CALLS)))
