"""Fifty jobs at once on the embedded defaults, each followed to its end and cloned.

    python -m tests.e2e.test_fifty

measures the same on a service process of its own: cold start, time, memory.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import anyio
import httpx
import pytest

from gencode.client import Client
from tests.e2e.cloning import cloned
from tests.servers.service import Service, running_app, settings

JOBS = 50
SUBJECTS = (
    "a Flask app with login",
    "a FastAPI notes API",
    "an Express API",
    "a Go service",
    "a CLI for notes",
)
CLONES_AT_ONCE = 4  # each is a git process or two
STARTS = 5


@pytest.mark.campaign
async def test_fifty_jobs_at_once_all_become_valid_repositories(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        addresses = await _all_jobs(app.url)
        assert len(set(addresses)) == JOBS
        await _clone_all(addresses, tmp_path)


async def _all_jobs(url: str) -> Sequence[str]:
    """Submit all at once; the repository URL of each."""
    addresses: list[str] = []

    async def job(client: Client, number: int) -> None:
        prompt = f"{SUBJECTS[number % len(SUBJECTS)]}, number {number}"
        task = await client.submit(prompt, f"job-{number}")
        last = [event async for event in client.events(task["task_id"])][-1]
        assert last.data["status"] == "completed", last
        addresses.append(last.data["repo_url"])

    async with Client(url) as client, anyio.create_task_group() as tg:
        for number in range(JOBS):
            tg.start_soon(job, client, number)
    return addresses


async def _clone_all(addresses: Sequence[str], folder: Path) -> None:
    places = anyio.CapacityLimiter(CLONES_AT_ONCE)

    async def clone(address: str) -> None:
        async with places:
            await cloned(address, folder / address.rpartition("/")[2])

    async with anyio.create_task_group() as tg:
        for address in addresses:
            tg.start_soon(clone, address)


# --- measured by hand -------------------------------------------------------------------------------


async def _measure(folder: Path) -> None:
    process = Service(folder, {"LOG_FORMAT": "json"})
    starts = [await _cold_start(process) for _ in range(STARTS)]
    print(f"cold start to /readyz   {median(starts):.2f} s (median of {STARTS})")
    await process.start()
    print(f"memory, idle            {_memory(process.pid):.0f} MB")
    began = time.perf_counter()
    addresses = await _all_jobs(process.url)
    print(f"{JOBS} jobs at once         {time.perf_counter() - began:.1f} s")
    print(f"memory, afterwards      {_memory(process.pid):.0f} MB")
    await _clone_all(addresses, folder)
    print(f"{JOBS} clones sound         {time.perf_counter() - began:.1f} s since the first submission")
    await process.terminate()


async def _cold_start(process: Service) -> float:
    began = time.perf_counter()
    await process.launch()
    async with httpx.AsyncClient(trust_env=False) as http:
        while not await _ready(http, process.url):
            await anyio.sleep(0.005)
    took = time.perf_counter() - began
    await process.terminate()
    return took


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def _memory(pid: int) -> float:
    """Resident set in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        anyio.run(_measure, Path(name))
