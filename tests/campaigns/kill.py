"""The kill campaign: the service is killed a thousand times; nothing is lost, duplicated or sent wrongly.

    python -m tests.campaigns.kill --kills 1000 --tasks 50 --seed 1

The real service runs as a child process; the model, GitHub and `git http-backend` live here and count
every effect. Clients submit with idempotency keys, subscribers follow with Last-Event-ID, and the service is
killed (SIGKILL) at random moments, during its start, and at every failpoint, then started again on the same
port and folder, until all tasks are finished. The seed determines the orders and every draw of the schedule;
how far the service comes before a kill depends on the machine, so a replay is similar, not equal.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import perf_counter

import anyio
import anyio.to_thread
import httpx

from tests.campaigns import inspection
from tests.campaigns.clients import Clients
from tests.campaigns.github import EFFECT_FAILPOINTS, KillingGitHub, killing_github
from tests.campaigns.kill_report import KillReport, show
from tests.campaigns.model import PacedModel, paced_model
from tests.campaigns.observations import Observations
from tests.campaigns.orders import Order, make_orders
from tests.campaigns.running import run_campaign
from tests.campaigns.schedule import FAILPOINTS, KillPlan, Schedule
from tests.campaigns.service import settings
from tests.campaigns.stored import StoredTask, logs, snapshot, tasks
from tests.servers.service import Service

UNDER_WAY = 4
"""Orders at once; the service runs as many, so that each incarnation works on all of them."""
ANSWERS_PER_KILL = 4.0
"""Model calls that the orders need for each kill: the work must last until the last kill."""
PROGRESS_SECONDS = 120.0
"""If nothing progresses for so long, the campaign gives up."""


class Campaign:
    """One service, its clients, and the scripted servers that it uses."""

    def __init__(
        self,
        seed: int,
        kills: int,
        orders: Sequence[Order],
        folder: Path,
        model: PacedModel,
        github: KillingGitHub,
        service: Service,
        observations: Observations,
        clients: Clients,
        show_progress: Callable[[str], None],
    ) -> None:
        self.report = KillReport(orders=len(orders))
        self._kills = kills
        self.orders = orders
        self._folder = folder
        self._model = model
        self._github = github
        self._service = service
        self._observations = observations
        self._clients = clients
        self._schedule = Schedule(seed, kills)
        self._show_progress = show_progress
        self._stored: dict[int, StoredTask] = {}

    async def run(self) -> None:
        began = perf_counter()
        try:
            await self._run_all()
            await self._inspect()
        except* TimeoutError:
            self.report.others.append(
                f"no progress within {PROGRESS_SECONDS:g} s in incarnation {self._observations.incarnation}: "
                f"see {self._service.log}"
            )
        self.report.seconds = perf_counter() - began

    async def _run_all(self) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._clients.run, self.orders)
            while self._has_kills_left():
                await self._run_once()
                self._show_progress(
                    f"{self.report.kills} kills, {len(self._observations.finished)} orders finished"
                )
            with anyio.fail_after(PROGRESS_SECONDS):
                await self._run_last()

    def _has_kills_left(self) -> bool:
        """Up to twice as many as requested while a failpoint has not been reached."""
        missing = set(FAILPOINTS) - set(self._schedule.kills_at)
        most = (
            2 * self._kills
            if missing and len(self._observations.finished) < len(self.orders)
            else self._kills
        )
        return self.report.kills < most

    # --- one incarnation ----------------------------------------------------------------------------

    async def _run_once(self) -> None:
        submitting = not self._observations.pending <= self._stored.keys()
        plan = self._schedule.plan(
            self._observations.incarnation + 1, self._stored.values(), self._missing(), submitting
        )
        self.report.idle += not (
            self._observations.pending or any(not task.is_finished for task in self._stored.values())
        )
        began = perf_counter()
        await self._begin(plan)
        if plan.seconds_after_start is not None:
            by_itself = await self._ends_by_itself(plan.seconds_after_start)
        elif await self._service.ready():
            self.report.ready.append(perf_counter() - began)
            by_itself = await self._work(plan)
        else:
            by_itself = True
        await self._end(plan, by_itself)
        await self._compare_database()

    def _missing(self) -> dict[int, int]:
        """How many answers of the model each order still needs."""
        checkpoints = {number: task.checkpoints for number, task in self._stored.items()}
        return {
            order.number: len(order.parts - checkpoints.get(order.number, frozenset()))
            for order in self.orders
        }

    async def _begin(self, plan: KillPlan) -> None:
        self._observations.begin()
        self._model.begin(self._observations.incarnation)
        in_process = plan.failpoint and plan.failpoint not in EFFECT_FAILPOINTS
        await self._service.launch(f"{plan.failpoint}:{plan.passage}" if in_process else "")
        self._github.kill_at = (plan.failpoint, self._kill) if plan.failpoint in EFFECT_FAILPOINTS else None

    def _kill(self) -> None:
        os.kill(self._service.pid, signal.SIGKILL)

    async def _ends_by_itself(self, seconds: float) -> bool:
        """Whether the process ends by itself within this time."""
        with anyio.move_on_after(seconds):
            await self._service.ended()
            return True
        return False

    async def _work(self, plan: KillPlan) -> bool:
        """Work from ready until the kill is due; whether the service ended before."""
        must_progress = {order: self._observations.checkpoints_seen[order] for order in plan.must_progress}
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._release_answers, plan)
            if must_progress:
                with anyio.fail_after(PROGRESS_SECONDS):
                    await self._observations.wait_until(
                        lambda: all(self._has_progressed(*order) for order in must_progress.items())
                    )
            by_itself = await self._ends_by_itself(plan.seconds_after_ready)
            tg.cancel_scope.cancel()
        return by_itself

    def _has_progressed(self, order: int, before: int) -> bool:
        return self._observations.checkpoints_seen[order] > before or order in self._observations.finished

    async def _release_answers(self, plan: KillPlan) -> None:
        random = Random(f"answers:{self._observations.incarnation}")
        for order in plan.answers:
            self._model.release(order)
            await anyio.sleep(0.15 * random.random())

    async def _end(self, plan: KillPlan, by_itself: bool) -> None:
        await self._service.close()
        status = await self._service.ended()
        if status != -signal.SIGKILL or (by_itself and not plan.failpoint):
            self.report.others.append(
                f"incarnation {self._observations.incarnation}: the service ended by itself ({status})"
            )
        if by_itself and plan.failpoint:
            self._schedule.kills_at[plan.failpoint] += 1
        self.report.deaths[_cause(plan, by_itself)] += 1
        if self._observations.first_event is not None:
            self.report.resumed.append(self._observations.first_event)

    async def _compare_database(self) -> None:
        """Compare what the killed service left on disk with what it had before and with what it published."""
        found = await anyio.to_thread.run_sync(snapshot, self._service.data_dir, self._folder)
        after = {task.number: task for task in found.values()}
        self.report.others += inspection.duplicates(found.values())
        self._compare(after)

    def _compare(self, after: Mapping[int, StoredTask]) -> None:
        self.report.lost += inspection.lost_state(self._observations, self._stored, after)
        calls = [call for call in self._model.calls if call.incarnation == self._observations.incarnation]
        self.report.calls.add(self._model, calls, self._stored, after)
        self._stored = dict(after)

    # --- the end ------------------------------------------------------------------------------------

    async def _run_last(self) -> None:
        """The last incarnation: all orders finish, and each is followed once more from its first event."""
        self._observations.begin(is_last=True)
        self._model.begin(self._observations.incarnation)
        self._model.open()
        await self._service.start()
        await self._observations.wait_until(lambda: len(self._observations.finished) == len(self.orders))
        async with anyio.create_task_group() as tg:
            for order in self.orders:
                tg.start_soon(self._clients.follow, order)

    async def _inspect(self) -> None:
        views = [await self._clients.view(order) for order in self.orders]
        if status := await self._service.terminate():
            self.report.others.append(f"the service did not stop in order ({status})")
        found = tasks(self._service.data_dir)
        self.report.others += inspection.duplicates(found.values()) + self._observations.faults
        self._compare({task.number: task for task in found.values()})
        self._inspect_sequences()
        for order, view in zip(self.orders, views, strict=True):
            self.report.repositories += await inspection.repository_faults(self._github, order, view)
        effects = self._github.effects
        if (len(self._github.repos), effects["create"], effects["push"]) != (len(self.orders),) * 3:
            self.report.repositories.append(f"{len(self._github.repos)} repositories, effects {effects}")

    def _inspect_sequences(self) -> None:
        stored = logs(self._service.data_dir)
        for followers in self._clients.followers.values():
            for follower in followers:
                self.report.wrong_sequences += inspection.stream_faults(follower, stored[follower.task_id])
                self.report.sequences += 1
                self.report.messages += len(follower.messages)
                self.report.connections += follower.connections


def _cause(plan: KillPlan, by_itself: bool) -> str:
    if by_itself and plan.failpoint:
        return plan.failpoint
    if plan.seconds_after_start is not None:
        return "while starting"
    return "random, after progress" if plan.must_progress else "random"


@asynccontextmanager
async def campaign(
    seed: int,
    kills: int,
    count: int,
    folder: Path,
    show_progress: Callable[[str], None] = lambda _progress: None,
) -> AsyncIterator[Campaign]:
    """A campaign of `kills` kills and `count` orders, with its servers, in `folder`."""
    calls = max(4, round(ANSWERS_PER_KILL * kills / count))
    orders = make_orders(count, calls, Random(f"{seed}:orders"))
    observations = Observations()
    async with paced_model(orders) as model, killing_github(folder / "github") as github:
        service = Service(folder, settings(model, UNDER_WAY, github))
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=60) as http:
            clients = Clients(seed, service.port, observations, http, UNDER_WAY)
            try:
                yield Campaign(
                    seed, kills, orders, folder, model, github, service, observations, clients, show_progress
                )
            finally:
                with anyio.CancelScope(shield=True):
                    await service.close()


# --- the command ------------------------------------------------------------------------------------


async def _run(kills: int, count: int, seed: int, folder: Path) -> KillReport:
    async with campaign(seed, kills, count, folder, _progress) as it:
        await it.run()
        print(file=sys.stderr)  # ends the line of progress
        return it.report


def _progress(text: str) -> None:
    """Overwrites the last line of the terminal."""
    print(f"\r{text}", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    return run_campaign(
        "kill",
        f"{chosen.kills} kills, {chosen.tasks} tasks, seed {chosen.seed}",
        lambda folder: _run(chosen.kills, chosen.tasks, chosen.seed, folder),
        lambda report: show(report, chosen.seed),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Kill the service until its tasks are done.")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS") or 1000))
    parser.add_argument("--tasks", type=int, default=int(os.environ.get("TASKS") or 50))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    return parser


if __name__ == "__main__":
    sys.exit(main())
