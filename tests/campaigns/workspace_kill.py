"""The kill campaign over all kinds of the workspace.

    python -m tests.campaigns.workspace_kill --kills 200 --seed 1

The real service runs as a child process; the model, the encoder and the Git repositories live here. Jobs
submit tasks of all kinds, and cancel some, while the service is killed (SIGKILL) during its start, at
failpoints and at random moments, and started again on the same folder. When all kills are done, the jobs end,
and the databases are audited (tests.campaigns.workspace_audit). How far the service comes before a kill
depends on the machine, so a replay is similar, not equal.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import anyio
import httpx
from starlette.responses import Response

from gencode.embedded.server import address, listen
from tests.campaigns.billing_model import BillingModel, billing_model
from tests.campaigns.figures import none_of, quantiles, versions
from tests.campaigns.running import run_campaign
from tests.campaigns.workspace_audit import Audit, Databases, audit, indexed_texts
from tests.campaigns.workspace_client import PersistentClient, Refused
from tests.campaigns.workspace_jobs import JOBS, Job, Place, fill, prepare
from tests.servers.change_hosts import GitHubChanges
from tests.servers.fork_server import FORK_SERVER
from tests.servers.git_server import git_server
from tests.servers.githost import ReceivedRequest, served
from tests.servers.service import Service

AT_ONCE = 6
"""Jobs; the service runs fewer tasks, so that some wait in its queue."""
PROGRESS_SECONDS = 240.0
ANSWER_SECONDS = 0.5
"""From an accepted comment to the response of the host."""
FAILPOINTS = {
    "create": 2,
    "commit": 15,
    "publish": 15,
    "row": 30,
    "index": 2,
    "vectors": 2,
    "repo": 1,
    "push": 1,
}
"""The points before and after which the process kills itself, and their highest passage."""
FAILPOINT_SECONDS, LONGEST_RUN = 6.0, 5.0
"""Seconds from ready until a kill from outside, if no failpoint is reached; without one, at most."""
SETTINGS = {
    "WORKSPACE": "true",
    "WORKSPACE_ALLOW_NETWORKS": "127.0.0.1/32",
    "MAX_CONCURRENT_TASKS": "4",
    "RATE_LIMIT": "1000000/minute",
    "LOG_FORMAT": "json",
}


@dataclass(kw_only=True)
class WorkspaceReport:
    """`deaths`: kills by cause. `others`: faults that were seen before the audit."""

    deaths: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)
    calls: int = 0
    retried: int = 0
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        return self.deaths.total()

    @property
    def faults(self) -> list[str]:
        return [*self.others, *self.audit.faults, *self.audit.repeated]


class WorkspaceCampaign:
    def __init__(
        self,
        seed: int,
        kills: int,
        service: Service,
        model: BillingModel,
        client: PersistentClient,
        host: Any,
        show_progress: Callable[[str], None],
    ) -> None:
        self.report = WorkspaceReport()
        self._random = Random(f"{seed}:kills")
        self._seed = seed
        self._kills = kills
        self._service = service
        self._model = model
        self._client = client
        self._host = host
        self._show_progress = show_progress
        self._databases = Databases(service.data_dir)
        self._stopping = anyio.Event()
        self.jobs: Counter[str] = Counter()

    async def run(self, repository_url: str) -> None:
        began = perf_counter()
        await self._service.start()
        place = await prepare(self._client, repository_url, self._model.base_url, self._host)
        await self._service.kill()
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._work, place)
            while self.report.kills < self._kills:
                await self._run_once()
                self._show_progress(f"{self.report.kills} kills, {self.jobs.total()} jobs ended")
            self._stopping.set()
            self._model.begin(self.report.kills + 1)
            await self._service.start()
            tg.start_soon(self._give_up, tg.cancel_scope)
        await self._inspect()
        self.report.seconds = perf_counter() - began

    async def _give_up(self, scope: anyio.CancelScope) -> None:
        """Ends the campaign if its jobs do not end."""
        with anyio.move_on_after(PROGRESS_SECONDS):
            await self._ended.wait()
            return
        self.report.others.append(f"jobs have not ended within {PROGRESS_SECONDS:g} s")
        scope.cancel()

    # --- jobs ---------------------------------------------------------------------------------------

    async def _work(self, place: Place) -> None:
        """Jobs, some at once, all kinds in turn, until the last kill; of each kind at least one."""
        self._ended = anyio.Event()
        limiter = anyio.Semaphore(AT_ONCE)
        async with anyio.create_task_group() as tg:
            for number in count(1):
                await limiter.acquire()
                if self._stopping.is_set() and number > len(JOBS):
                    break
                random = Random(f"{self._seed}:job:{number}")
                job = Job(number=number, client=self._client, place=place, random=random)
                tg.start_soon(self._do, job, limiter)
        self._ended.set()

    async def _do(self, job: Job, limiter: anyio.Semaphore) -> None:
        name = list(JOBS)[(job.number - 1) % len(JOBS)]
        try:
            await JOBS[name](job)
        except Refused as refused:
            self.report.others.append(f"job {job.number} ({name}): {refused}")
        self.jobs[name] += 1
        limiter.release()

    # --- kills --------------------------------------------------------------------------------------

    async def _run_once(self) -> None:
        began = perf_counter()
        draw, moment = self._random.random(), self._random.random()
        failpoint = self._failpoint() if draw > 0.5 else ""
        indexed = self._indexed()
        first = len(self._model.calls)
        self._model.begin(self.report.kills + 1)
        await self._service.launch(failpoint)
        cause, seconds = "its start", 0.8 * moment
        if draw > 0.1:
            if await self._service.ready():
                self.report.ready.append(perf_counter() - began)
            cause, seconds = "a random moment", FAILPOINT_SECONDS if failpoint else LONGEST_RUN * moment
        if await self._ends_by_itself(seconds):
            cause = failpoint.partition(":")[0] or "by itself"
        await self._service.close()
        await self._record(cause)
        self._check_encoded(first, indexed)

    def _failpoint(self) -> str:
        name = self._random.choice(list(FAILPOINTS))
        when = self._random.choice(("before", "after"))
        if self._random.random() < 0.15:
            return f"answer.after:{self._random.randint(1, 3)}"
        return f"{name}.{when}:{self._random.randint(1, FAILPOINTS[name])}"

    async def _ends_by_itself(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._service.ended()
            return True
        return False

    async def _record(self, cause: str) -> None:
        status = await self._service.ended()
        self.report.deaths[cause] += 1
        if status != -signal.SIGKILL or cause == "by itself":
            self.report.others.append(f"the service ended by itself ({status}): see {self._service.log}")

    def _indexed(self) -> frozenset[str]:
        return indexed_texts(self._databases)

    def _check_encoded(self, first: int, indexed: frozenset[str]) -> None:
        """A text that had a vector when the process began is not encoded again."""
        for call in self._model.calls[first:]:
            if again := indexed.intersection(call.texts):
                self.report.others.append(f"call {call.number} encoded again: {sorted(again)[:2]}")

    # --- the end ------------------------------------------------------------------------------------

    async def _inspect(self) -> None:
        """Rows are brought up to date when they are read."""
        for path in ("/code-diffs", "/requirements", "/git/repositories", "/chat/conversations"):
            await self._client.send("GET", f"{path}?limit=1")
        await self._client.send("GET", "/knowledge/bases")
        if status := await self._service.terminate():
            self.report.others.append(f"the service did not stop in order ({status})")
        self.report.calls, self.report.retried = len(self._model.calls), self._client.retried
        self.report.others += self._doubled_comments()
        self.report.audit = audit(self._databases, self._model.calls, self._client.accepted)

    def _doubled_comments(self) -> list[str]:
        """On the change request, and whether anything was posted at all."""
        changes = self._host.changes
        places = Counter((one.path, one.line) for one in changes.own)
        doubled = [f"{number} comments at {place}" for place, number in places.items() if number > 1]
        if len(changes.summaries) > 1:
            doubled.append(f"{len(changes.summaries)} summaries on the change")
        return doubled


class SlowHost(GitHubChanges):
    """Answers some time after it has accepted a comment, so that some kills come in between."""

    async def add_inline(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        response = await super().add_inline(seen, found)
        await anyio.sleep(ANSWER_SECONDS)
        return response


@asynccontextmanager
async def slow_host(folder: Path) -> AsyncIterator[SlowHost]:
    sock = listen()
    host = SlowHost(address(sock), folder, "scripted-token-0123456789")
    async with served(host, sock):
        yield host


@asynccontextmanager
async def campaign(
    seed: int, kills: int, folder: Path, show_progress: Callable[[str], None] = lambda _progress: None
) -> AsyncIterator[tuple[WorkspaceCampaign, str]]:
    """The campaign, and the address of its repository."""
    async with (
        billing_model(Random(f"{seed}:model")) as model,
        git_server(folder / "git") as git,
        slow_host(folder / "host") as host,
    ):
        fill(git.repository())
        service = Service(folder, SETTINGS)
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=60) as http:
            client = PersistentClient(http)
            try:
                yield WorkspaceCampaign(seed, kills, service, model, client, host, show_progress), git.url()
            finally:
                with anyio.CancelScope(shield=True):
                    await service.close()


# --- the command ------------------------------------------------------------------------------------


async def _run(kills: int, seed: int, folder: Path) -> WorkspaceReport:
    FORK_SERVER.is_enabled = True  # a start of the interpreter would take most of the time
    try:
        async with campaign(seed, kills, folder, _progress) as (it, repository_url):
            await it.run(repository_url)
            print(file=sys.stderr)  # ends the line of progress
            return it.report
    finally:
        FORK_SERVER.stop()


def _progress(text: str) -> None:
    print(f"\r{text}", end="", file=sys.stderr, flush=True)


def show(report: WorkspaceReport, seed: int) -> str:
    found = report.audit
    lines = [
        f"seed {seed}; {report.kills} kills, {found.tasks.total()} tasks, {report.seconds:.0f} s",
        versions(),
        "",
        *(f"{number:6} killed at {cause}" for cause, number in sorted(report.deaths.items())),
        "",
        *(f"{number:6} {kind}" for kind, number in sorted(found.tasks.items())),
        f"{report.retried:6} tasks were killed too often, and retried",
        "",
        f"{report.calls:6} model calls; {found.settled} settled, {found.unsettled} broken off by a kill",
        f"{found.lost_calls:6} were asked again, since a kill came before the answer was stored",
        f"{len(found.repeated):6} were asked again although the answer was stored",
        f"{len(report.faults):6} faults",
        f"from restart to ready: {quantiles(report.ready)}",
        f"violations per kill: {none_of(report.kills)}" if not report.faults else "",
        *(f"VIOLATION {fault}" for fault in report.faults[:50]),
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill the service while it runs tasks of all kinds.")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS") or 200))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    chosen = parser.parse_args(arguments)
    return run_campaign(
        "workspace-kill",
        f"{chosen.kills} kills, seed {chosen.seed}",
        lambda folder: _run(chosen.kills, chosen.seed, folder),
        lambda report: show(report, chosen.seed),
    )


if __name__ == "__main__":
    sys.exit(main())
