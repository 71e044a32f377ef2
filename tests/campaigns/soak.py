"""The soak test: steady load on the embedded defaults, to see which resources grow.

    python -m tests.campaigns.soak --minutes 30

Nothing is configured: offline model, local forge. Jobs are submitted at a fixed rate, each with a few
subscribers (one of them for live deltas too), and finished jobs are read again. Memory and open
descriptors of the service are sampled from /proc; their slopes are computed without the warm-up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

import anyio
import anyio.abc
import httpx

from tests.campaigns import inspection
from tests.campaigns.figures import quantiles, versions
from tests.campaigns.follower import Follower, UnexpectedAnswer
from tests.campaigns.running import run_campaign
from tests.campaigns.stored import logs
from tests.servers.service import Service

PROMPTS = (
    "A small Flask app with user login",
    "创建一个Python Flask Web应用，包含用户认证功能",
    "A FastAPI service that keeps notes",
    "An Express API for notes",
    "A Go HTTP server",
    "A command line tool for notes",
    "A static page with a form",
)
NO_KEY = "none"
SUBSCRIBERS = 3
SAMPLE_SECONDS = 5.0
WARM_UP = 0.2
"""Share of the samples that slopes leave out: caches and pools fill."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`at`: seconds since the first one; `rss` in bytes; `descriptors` and `threads` that are open."""

    at: float
    rss: int
    descriptors: int
    threads: int


@dataclass(kw_only=True)
class Report:
    jobs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    accepts: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    disk: int = 0
    warnings: int = 0
    """Lines of the service's log above INFO; there should be none."""
    seconds: float = 0.0

    def slope(self, name: str, since: float = WARM_UP) -> float:
        """Least squares, per hour, without the first share of the samples."""
        steady = self.samples[int(len(self.samples) * since) :]
        line = statistics.linear_regression([s.at for s in steady], [getattr(s, name) for s in steady])
        return line.slope * 3600


class Soak:
    """`rate`: jobs per second."""

    def __init__(
        self, seed: int, minutes: float, rate: float, service: Service, http: httpx.AsyncClient
    ) -> None:
        self.report = Report()
        self._random = Random(seed)
        self._minutes = minutes
        self._rate = rate
        self._service = service
        self._http = http
        self._finished: list[str] = []

    async def run(self) -> None:
        began = perf_counter()
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._sample_process)
            async with anyio.create_task_group() as jobs:
                await self._load(jobs, began)
            tg.cancel_scope.cancel()
        await self._inspect()
        self.report.seconds = perf_counter() - began

    async def _load(self, jobs: anyio.abc.TaskGroup, began: float) -> None:
        """Start jobs at a fixed rate, however long each takes."""
        while (now := perf_counter() - began) < self._minutes * 60:
            await anyio.sleep(max(0.0, self.report.jobs / self._rate - now))
            jobs.start_soon(self._job, self.report.jobs)
            self.report.jobs += 1

    async def _job(self, number: int) -> None:
        body = {"prompt": self._random.choice(PROMPTS), "repo_name": f"soak-{number}"}
        began = perf_counter()
        try:
            answer = await self._http.post("/api/v1/generate", json=body)
            task_id = answer.raise_for_status().json()["task_id"]
        except httpx.HTTPError as error:
            self.report.faults.append(f"job {number}: {error!r}")
            return
        self.report.accepts.append(perf_counter() - began)
        async with anyio.create_task_group() as tg:
            for n in range(SUBSCRIBERS):
                tg.start_soon(self._follow, task_id, n == 0)
            if self._finished:
                tg.start_soon(self._follow, self._random.choice(self._finished), False)
        self.report.durations.append(perf_counter() - began)
        self._finished.append(task_id)

    async def _follow(self, task_id: str, deltas: bool) -> None:
        follower = Follower(self._service.port, task_id, NO_KEY, deltas=deltas)
        try:
            await follower.run()
        except UnexpectedAnswer as error:
            self.report.faults.append(str(error))
        self.report.followers.append(follower)

    async def _sample_process(self) -> None:
        began = perf_counter()
        while True:
            self.report.samples.append(_sample(self._service.pid, perf_counter() - began))
            await anyio.sleep(SAMPLE_SECONDS)

    async def _inspect(self) -> None:
        if status := await self._service.terminate():
            self.report.faults.append(f"the service did not stop in order ({status})")
        stored = logs(self._service.data_dir)
        for follower in self.report.followers:
            self.report.faults += inspection.stream_faults(follower, stored[follower.task_id])
        for log in stored.values():
            self.report.outcomes["completed" if b'"status":"completed"' in log[-1] else "other"] += 1
        if self.report.outcomes["other"]:
            self.report.faults.append(f"{self.report.outcomes['other']} jobs were not completed")
        lines = self._service.log.read_text(encoding="utf-8").splitlines()
        self.report.warnings = sum('"level": "info"' not in line for line in lines)
        self.report.disk = sum(file.stat().st_size for file in self._service.data_dir.glob("gencode.db*"))


def _sample(pid: int, at: float) -> Sample:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return Sample(
        at=at,
        rss=int(status["VmRSS"].split()[0]) * 1024,
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
    )


@asynccontextmanager
async def soak(seed: int, minutes: float, rate: float, folder: Path) -> AsyncIterator[Soak]:
    """A running service on its embedded defaults; only the limit of submissions is lifted."""
    service = Service(folder, {"RATE_LIMIT": "1000000/minute", "LOG_FORMAT": "json"})
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=60) as http:
        try:
            await service.start()
            yield Soak(seed, minutes, rate, service, http)
        finally:
            with anyio.CancelScope(shield=True):
                await service.close()


# --- the command ------------------------------------------------------------------------------------


def show(report: Report, seed: int) -> str:
    """The figures, for a terminal and for the record."""
    first, last = report.samples[0], report.samples[-1]
    most = max(sample.rss for sample in report.samples)
    lines = [
        f"seed {seed}; {report.seconds / 60:.1f} minutes, {report.jobs} jobs ({report.outcomes['completed']}"
        f" completed), {len(report.followers)} streams, {len(report.samples)} samples",
        versions(),
        "",
        f"accept: {quantiles(report.accepts)}",
        f"job, until its last subscriber knows: {quantiles(report.durations)}",
        f"memory: {report.slope('rss') / 2**20:+.2f} MiB per hour"
        f" (in the second half {report.slope('rss', 0.5) / 2**20:+.2f});"
        f" {first.rss / 2**20:.1f} MiB at first, {last.rss / 2**20:.1f} at last, {most / 2**20:.1f} at most",
        f"descriptors: {report.slope('descriptors'):+.2f} per hour; {first.descriptors} at first,"
        f" {last.descriptors} at last, {max(s.descriptors for s in report.samples)} at most",
        f"threads: {first.threads} at first, {last.threads} at last",
        f"database: {report.disk / 2**20:.1f} MiB, {report.disk / 1024 / max(report.jobs, 1):.1f} KiB a job",
        f"{report.warnings:6} lines of the log are not INFO",
        f"{len(report.faults):6} faults",
        *(f"VIOLATION {fault}" for fault in report.faults[:50]),
    ]
    return "\n".join(lines)


async def _run(seed: int, minutes: float, rate: float, folder: Path) -> Report:
    async with soak(seed, minutes, rate, folder) as it:
        await it.run()
        return it.report


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    return run_campaign(
        "soak",
        f"{chosen.minutes:g} minutes, {chosen.rate:g} jobs/s",
        lambda folder: _run(chosen.seed, chosen.minutes, chosen.rate, folder),
        lambda report: show(report, chosen.seed),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Load the service for a long time and see what grows.")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES") or 30))
    parser.add_argument("--rate", type=float, default=float(os.environ.get("RATE") or 1.0))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    return parser


if __name__ == "__main__":
    sys.exit(main())
