"""Time from the command to the first 200 of /readyz, and the memory of an idle service."""

from __future__ import annotations

import asyncio
import http.client
import tempfile
import time
from pathlib import Path
from statistics import median

import anyio

from tests.servers.service import Service

ROUNDS = 7
IDLE_SECONDS = 1.0


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


async def start(folder: Path) -> tuple[float, float]:
    """Seconds, and megabytes once it is idle; in an empty folder, so that the database is created too."""
    process = Service(folder, {})
    begin = time.perf_counter()
    await process.launch()
    try:
        while not ready(process.port):
            await anyio.sleep(0.005)
        seconds = time.perf_counter() - begin
        await anyio.sleep(IDLE_SECONDS)
        return seconds, megabytes(process.pid)
    finally:
        await process.terminate()


async def main() -> None:
    found = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            found.append(await start(Path(folder)))
    times, memory = zip(*found, strict=True)
    print(f"ready after {median(times):5.2f} s (median of {ROUNDS}; {min(times):.2f} to {max(times):.2f})")
    print(f"idle memory {median(memory):5.1f} MB")


if __name__ == "__main__":
    asyncio.run(main())
