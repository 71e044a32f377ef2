"""Sends what attackers send through a real service, while another client uses it.

    python -m tests.campaigns.hostile --kinds "one byte a chunk"

A model server answers with hostile texts, bodies and encodings, and clients send large bodies or never read.
Meanwhile another client polls `/livez` and has a small task done. Printed for each kind: bytes in, how it
ended, the longest `/livez`, the most processor time that the service used while one was waited for (which a
busy machine does not change), and how much memory the service gained at most.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import clock_gettime, perf_counter
from uuid import uuid4

import anyio
import httpx

from tests.campaigns.figures import versions
from tests.campaigns.hostile_kinds import KINDS, Attack, Kind, script
from tests.campaigns.running import run_campaign
from tests.servers.github import ScriptedGitHub, github_server
from tests.servers.model import model_server
from tests.servers.service import Service, a_large_log, environment, service

MAX_LIVEZ_SECONDS = 0.5
MEMORY_PER_BYTE = 4
MEMORY_ALLOWANCE = 64 * 2**20
"""Bytes of memory that a service may gain at work, whatever it receives."""
POLL_SECONDS = 0.02
END_SECONDS = 300
WARM_UPS = 2
"""Small tasks before the attack, after which memory is measured."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """received  bytes that the service was sent
    outcome   of the attack: statuses and error codes
    small     status of the other client's task
    livez     seconds of the slowest one
    worked    processor seconds of the service during one, at most
    gained    bytes of memory, at most
    """

    kind: str
    received: int
    outcome: str
    small: str
    livez: float
    worked: float
    gained: int

    def faults(self, *, timed: bool) -> Iterator[str]:
        if self.small != "completed":
            yield f"{self.kind}: the other client's task is {self.small}"
        if "INTERNAL" in self.outcome or "500" in self.outcome or not self.outcome:
            yield f"{self.kind}: {self.outcome or 'nothing ended'}"
        if self.gained > MEMORY_ALLOWANCE + MEMORY_PER_BYTE * self.received:
            yield f"{self.kind}: {self.gained >> 20} MiB of memory for {self.received >> 10} KiB"
        if timed and self.livez > MAX_LIVEZ_SECONDS:
            yield f"{self.kind}: /livez took {self.livez:.2f} s"


@dataclass(kw_only=True)
class Report:
    results: list[Result] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Watch:
    """Polls `/livez` and the memory of the service."""

    def __init__(self, process: Service) -> None:
        self.slowest = self.worked = 0.0
        self.gained = 0
        self._process = process
        self._before = _memory(process.pid)

    async def run(self) -> None:
        async with _client(self._process) as http:
            while True:
                began, used = perf_counter(), _processor_seconds(self._process.pid)
                (await http.get("/livez")).raise_for_status()
                self.slowest = max(self.slowest, perf_counter() - began)
                self.worked = max(self.worked, _processor_seconds(self._process.pid) - used)
                self.gained = max(self.gained, _memory(self._process.pid) - self._before)
                await anyio.sleep(POLL_SECONDS)


async def attacked(kind: Kind, folder: Path) -> Result:
    """One service, attacked in one manner."""
    folder.mkdir()
    large_log = await a_large_log(folder / "data") if kind.has_log else ""
    attack = Attack(kind=kind, large_log=large_log)
    if kind.reply:
        kind.reply()  # what takes long to make is made before anything is measured
    async with model_server(partial(script, attack)) as model, _host(kind, folder) as github:
        settings = environment(
            model,
            github,
            RATE_LIMIT="1000000/minute",
            LOG_FORMAT="json",
        )
        async with service(folder, settings) as process, _client(process) as http:
            for _ in range(WARM_UPS):
                await task(http, "A small project")
            watch = _Watch(process)
            if github:
                attack.use_host(github)
            outcome, small = await _attack_and_use(attack, process, http, watch)
    return Result(
        kind=kind.name,
        received=attack.sent,
        outcome=outcome,
        small=small,
        livez=watch.slowest,
        worked=watch.worked,
        gained=watch.gained,
    )


@asynccontextmanager
async def _host(kind: Kind, folder: Path) -> AsyncIterator[ScriptedGitHub | None]:
    """The Git host of a kind that attacks as one."""
    if not kind.host_body:
        yield None
        return
    async with github_server(folder / "github") as github:
        yield github


async def _attack_and_use(
    attack: Attack, process: Service, http: httpx.AsyncClient, watch: _Watch
) -> tuple[str, str]:
    outcome = small = ""

    async def use() -> None:
        nonlocal small
        await attack.begun.wait()
        small = await task(http, "A small project")

    with anyio.move_on_after(END_SECONDS):
        async with anyio.create_task_group() as watching:
            watching.start_soon(watch.run)
            async with anyio.create_task_group() as both, _client(process) as attacker:
                both.start_soon(use)
                outcome = await attack.run(attacker, process.port, task)
            watching.cancel_scope.cancel()
    return outcome, small


async def task(http: httpx.AsyncClient, prompt: str) -> str:
    """Its status at the end, with the code of its error."""
    answer = await http.post(
        "/api/v1/generate", json={"prompt": prompt, "repo_name": f"hostile-{uuid4().hex}"}
    )
    task_id = answer.raise_for_status().json()["task_id"]
    async with http.stream("GET", f"/api/v1/status/{task_id}") as stream:
        async for _ in stream.aiter_bytes():
            pass
    found = (await http.get(f"/api/v1/task/{task_id}")).raise_for_status().json()
    code = (found.get("error") or {}).get("code", "")
    return f"{found['status']} {code}".strip()


def _client(process: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=END_SECONDS)


def _processor_seconds(pid: int) -> float:
    """Of all threads of a process, by its clock (see clock_getcpuclockid)."""
    return clock_gettime((~pid << 3) | 2)


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(dict(line.split(":", 1) for line in lines)["VmRSS"].split()[0]) * 1024


async def campaign(kinds: Sequence[Kind], folder: Path, *, timed: bool = True) -> Report:
    """One kind after the other. `timed`: a slow `/livez` is a fault."""
    report = Report()
    for number, kind in enumerate(kinds):
        result = await attacked(kind, folder / str(number))
        print(row(result), flush=True)
        report.results.append(result)
        report.faults += result.faults(timed=timed)
    return report


# --- the command ------------------------------------------------------------------------------------


def row(result: Result) -> str:
    return (
        f"{result.kind:22} {result.received / 2**20:7.2f} MiB {result.livez:6.3f} s"
        f" {result.worked:6.3f} s {result.gained / 2**20:+7.1f} MiB  {result.outcome}; {result.small}"
    )


def show(report: Report) -> str:
    return "\n".join([versions(), *(f"VIOLATION {fault}" for fault in report.faults)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kinds", nargs="*", choices=[kind.name for kind in KINDS], default=[])
    chosen = parser.parse_args(arguments).kinds
    kinds = [kind for kind in KINDS if kind.name in chosen or not chosen]
    load = Path("/proc/loadavg").read_text().split()[0]
    columns = (
        "kind, sent, longest /livez, processor time in it, memory, how it ended; the other client's task"
    )
    title = f"load {load}; {columns}"
    return run_campaign("hostile", title, partial(campaign, kinds), show)


if __name__ == "__main__":
    sys.exit(main())
