"""The cluster campaign: processes of a cluster are killed and stopped at random. The rules of the kill
campaign hold, and no worker pays for a call after its successor has.

    python -m tests.campaigns.cluster --kills 100 --freezes 20 --tasks 20 --seed 1

Two web processes and three workers run behind nginx on a PostgreSQL server of the campaign. Workers are
killed (SIGKILL), or stopped (SIGSTOP) for up to twice the stale time and continued; sometimes a web process
is killed. All are started again a moment later. The seed determines orders and draws; what they hit depends
on the machine.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import perf_counter

import anyio
import httpx
from anyio.abc import TaskGroup

from tests.campaigns import cluster_audit, inspection
from tests.campaigns.clients import Clients
from tests.campaigns.cluster_audit import WatchingModel, watching_model
from tests.campaigns.cluster_report import ClusterReport, show
from tests.campaigns.observations import Observations
from tests.campaigns.orders import Order, make_orders
from tests.campaigns.running import run_campaign
from tests.campaigns.service import settings
from tests.campaigns.stored import StoredTask
from tests.servers.cluster import STALE_SECONDS, Cluster, cluster
from tests.servers.github import ScriptedGitHub, github_server
from tests.servers.postgres import running_postgres
from tests.servers.service import Service

UNDER_WAY = 8
"""Orders at once; each worker could run all of them."""
CALLS_PER_ORDER = 12
PAUSES = (0.3, 1.5)
"""Seconds between two disturbances, at least and at most."""
DOWN_SECONDS = 2.0
"""A killed process is down for so long at most."""
FROZEN = (0.3, 2.2)
"""Stale times for which a worker is stopped."""
WEB_SHARE = 0.15
"""Of the kills, those of web processes."""
STARTS_WITHOUT_PROGRESS = 3
"""See tests.campaigns.schedule."""
PROGRESS_SECONDS = 180.0
POLL_SECONDS = 0.3
RELEASE_SECONDS = 0.05
"""Between two answers of the model, at least."""


class Campaign:
    """One cluster, its clients, and the scripted servers that it uses."""

    def __init__(
        self,
        seed: int,
        disturbances: Sequence[str],
        orders: Sequence[Order],
        it: Cluster,
        model: WatchingModel,
        github: ScriptedGitHub,
        clients: Clients,
        observations: Observations,
        show_progress: Callable[[str], None],
    ) -> None:
        self.report = ClusterReport(orders=len(orders))
        self.orders = orders
        self._random = Random(f"{seed}:disturbances")
        self._disturbances = disturbances
        self._cluster = it
        self._model = model
        self._github = github
        self._clients = clients
        self._observations = observations
        self._show_progress = show_progress
        self._stored: Mapping[int, StoredTask] = {}
        self._disturbed: set[int] = set()
        """Ports of the processes that are down or stopped."""

    async def run(self) -> None:
        began = perf_counter()
        await cluster_audit.install(self._cluster)
        try:
            await self._run_all()
            await self._inspect()
        except* TimeoutError:
            self.report.others.append(f"no progress within {PROGRESS_SECONDS:g} s")
        self.report.seconds = perf_counter() - began

    async def _run_all(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._clients.run, self.orders)
            async with anyio.create_task_group() as disturbing:
                disturbing.start_soon(self._release_answers)
                async with anyio.create_task_group() as recovering:
                    for what in self._disturbances:
                        await self._disturb(what, recovering)
                disturbing.cancel_scope.cancel()
            self._observations.begin(is_last=True)
            self._model.open()
            with anyio.fail_after(PROGRESS_SECONDS):
                await self._observations.wait_until(self._are_finished)

    def _are_finished(self) -> bool:
        return len(self._observations.finished) == len(self.orders)

    async def _release_answers(self) -> None:
        """So many with each disturbance that the work lasts until the last one."""
        answers = sum(len(order.parts) for order in self.orders)
        while True:
            done = self._observations.incarnation + 1
            if self._model.released < answers * done / len(self._disturbances):
                self._model.release()
            await anyio.sleep(RELEASE_SECONDS)

    # --- disturbances -------------------------------------------------------------------------------

    async def _disturb(self, what: str, group: TaskGroup) -> None:
        """At a moment when no task is close to being given up."""
        self._observations.begin()
        await anyio.sleep(self._random.uniform(*PAUSES))
        with anyio.fail_after(PROGRESS_SECONDS):
            while not (process := self._choose(what)) or await self._must_progress():
                await anyio.sleep(POLL_SECONDS)
        self._disturbed.add(process.port)
        if what == "freeze":
            group.start_soon(self._freeze, process, self._random.uniform(*FROZEN) * STALE_SECONDS)
        else:
            await self._kill(process)
            group.start_soon(self._start_again, process, self._random.uniform(0, DOWN_SECONDS))
        self._show_progress(
            f"{self.report.kills} kills, {self.report.freezes} stops,"
            f" {len(self._observations.finished)} orders finished"
        )

    def _choose(self, what: str) -> Service | None:
        """One worker is always left, so that it is known how soon it takes over."""
        is_web = what == "kill" and self._random.random() < WEB_SHARE
        processes = self._cluster.webs if is_web else self._cluster.workers
        free = [process for process in processes if process.port not in self._disturbed]
        return self._random.choice(free) if (is_web and free) or len(free) > 1 else None

    async def _must_progress(self) -> bool:
        """Whether a task has been started so often without progress that it must not be interrupted."""
        await self._compare_database()
        found = False
        for task in self._stored.values():
            if not task.is_finished and task.attempts >= STARTS_WITHOUT_PROGRESS:
                self._model.release(task.number)
                found = True
        return found

    async def _kill(self, process: Service) -> None:
        at = time.time()
        await process.kill()
        if process in self._cluster.workers:
            self.report.killed_workers.append((at, self._cluster.workers.index(process)))
        else:
            self.report.killed_webs += 1

    async def _start_again(self, process: Service, seconds: float) -> None:
        await anyio.sleep(seconds)
        await process.start()
        self._disturbed.discard(process.port)

    async def _freeze(self, process: Service, seconds: float) -> None:
        process.freeze()
        self.report.freezes += 1
        self.report.long_freezes += seconds > STALE_SECONDS
        await anyio.sleep(seconds)
        process.thaw()
        self._disturbed.discard(process.port)

    async def _compare_database(self) -> None:
        """With what it had before, and with what subscribers have received."""
        received = copy.copy(self._observations)
        received.newest_event = self._observations.newest_event.copy()
        received.accepted = dict(self._observations.accepted)
        found = await cluster_audit.stored_tasks(self._cluster)
        self.report.others += inspection.duplicates(found.values())
        after = {task.number: task for task in found.values()}
        self.report.lost += inspection.lost_state(received, self._stored, after)
        self._stored = after

    # --- the end ------------------------------------------------------------------------------------

    async def _inspect(self) -> None:
        async with anyio.create_task_group() as group:
            for order in self.orders:
                group.start_soon(self._clients.follow, order)
        views = [await self._clients.view(order) for order in self.orders]
        await self._compare_database()
        self.report.others += self._observations.faults
        self._inspect_sequences(await cluster_audit.logs(self._cluster))
        for order, view in zip(self.orders, views, strict=True):
            self.report.repositories += await inspection.repository_faults(self._github, order, view)
        effects = self._github.effects
        if (len(self._github.repos), effects["create"], effects["push"]) != (len(self.orders),) * 3:
            self.report.repositories.append(f"{len(self._github.repos)} repositories, effects {effects}")
        numbers = {task_id: number for number, task_id in self._observations.accepted.items()}
        audit = await cluster_audit.read(self._cluster, numbers)
        self.report.calls = cluster_audit.inspect_calls(self._model, audit)
        self.report.measure(audit)
        for process in (*self._cluster.webs, *self._cluster.workers):
            if status := await process.terminate():
                self.report.others.append(f"{process.log.parent.name} did not stop in order ({status})")

    def _inspect_sequences(self, stored: Mapping[str, Sequence[bytes]]) -> None:
        for followers in self._clients.followers.values():
            for follower in followers:
                self.report.wrong_sequences += inspection.stream_faults(follower, stored[follower.task_id])
                self.report.sequences += 1
                self.report.messages += len(follower.messages)
                self.report.connections += follower.connections


@asynccontextmanager
async def campaign(
    seed: int,
    kills: int,
    freezes: int,
    count: int,
    folder: Path,
    show_progress: Callable[[str], None] = lambda _progress: None,
) -> AsyncIterator[Campaign]:
    """A campaign with its servers, in `folder`."""
    orders = make_orders(count, CALLS_PER_ORDER, Random(f"{seed}:orders"))
    disturbances = ["kill"] * kills + ["freeze"] * freezes
    Random(f"{seed}:order").shuffle(disturbances)
    with running_postgres() as postgres:
        async with (
            watching_model(orders) as model,
            github_server(folder / "github") as github,
            cluster(folder, postgres.create_database(), settings(model, UNDER_WAY, github)) as it,
            httpx.AsyncClient(base_url=it.url, trust_env=False, timeout=60) as http,
        ):
            port, observations = int(it.url.rpartition(":")[2]), Observations()
            clients = Clients(seed, port, observations, http, UNDER_WAY, try_again=(502, 503, 504))
            yield Campaign(
                *(seed, disturbances, orders, it, model, github, clients, observations, show_progress)
            )


# --- the command ------------------------------------------------------------------------------------


async def _run(chosen: argparse.Namespace, folder: Path) -> ClusterReport:
    async with campaign(chosen.seed, chosen.kills, chosen.freezes, chosen.tasks, folder, _progress) as it:
        await it.run()
        print(file=sys.stderr)  # ends the line of progress
        return it.report


def _progress(text: str) -> None:
    """Overwrites the last line of the terminal."""
    print(f"\r{text}", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    return run_campaign(
        "cluster",
        f"{chosen.kills} kills, {chosen.freezes} stops, {chosen.tasks} tasks, seed {chosen.seed}",
        lambda folder: _run(chosen, folder),
        lambda report: show(report, chosen.seed),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Kill and stop processes of a cluster until its tasks are done."
    )
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS") or 100))
    parser.add_argument("--freezes", type=int, default=int(os.environ.get("FREEZES") or 20))
    parser.add_argument("--tasks", type=int, default=int(os.environ.get("TASKS") or 20))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    return parser


if __name__ == "__main__":
    sys.exit(main())
