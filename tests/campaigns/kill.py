"""The kill campaign: a thousand deaths of the service, and nothing lost, doubled or told wrongly.

    python -m tests.campaigns.kill --kills 1000 --tasks 50 --seed 1

The real service runs as a child process; the model, GitHub and `git http-backend` live here and count
every effect. Clients submit with idempotency keys, subscribers follow with Last-Event-ID, and the service is
killed (SIGKILL) at random moments, during its start, and at every failpoint, then started again on the same
port and folder, until all tasks are over. The seed fixes the orders and every draw of the schedule; how far
the service comes before a kill is the machine's affair, so a replay is alike, not equal.
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
from tests.campaigns.board import Board
from tests.campaigns.customers import Customers
from tests.campaigns.github import EFFECTS, LethalGitHub, lethal_github
from tests.campaigns.kill_report import KillReport, show
from tests.campaigns.ledger import Stored, logs, snapshot, tasks
from tests.campaigns.model import PacedModel, paced_model
from tests.campaigns.orders import Order, make_orders
from tests.campaigns.running import run_campaign
from tests.campaigns.schedule import FAILPOINTS, Death, Schedule
from tests.campaigns.service import settings
from tests.servers.service import Service

UNDER_WAY = 4
"""Orders at once; the service runs as many, so that each life works on all of them."""
ANSWERS_PER_KILL = 4.0
"""Model calls that the orders need for each kill: work must last until the last of them."""
PATIENCE = 120.0
"""Seconds for the progress that must come; then the campaign gives up."""


class Campaign:
    """One service and the world around it."""

    def __init__(
        self,
        seed: int,
        kills: int,
        orders: Sequence[Order],
        folder: Path,
        model: PacedModel,
        github: LethalGitHub,
        service: Service,
        progress_registry: Board,
        customers: Customers,
        tell: Callable[[str], None],
    ) -> None:
        self.report = KillReport(orders=len(orders))
        self._kills = kills
        self.orders = orders
        self._folder = folder
        self._model = model
        self._github = github
        self._service = service
        self._progress_registry = progress_registry
        self._customers = customers
        self._schedule = Schedule(seed, kills)
        self._tell = tell
        self._stored: dict[int, Stored] = {}

    async def run(self) -> None:
        began = perf_counter()
        try:
            await self._lives()
            await self._inspect()
        except* TimeoutError:
            self.report.others.append(
                f"no progress within {PATIENCE:g} s in life {self._progress_registry.life}: see {self._service.log}"
            )
        self.report.seconds = perf_counter() - began

    async def _lives(self) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._customers.serve, self.orders)
            while self._goes_on():
                await self._live()
                self._tell(f"{self.report.kills} kills, {len(self._progress_registry.over)} orders over")
            with anyio.fail_after(PATIENCE):
                await self._finish()

    def _goes_on(self) -> bool:
        """A few kills more than asked for if a failpoint has not had its turn."""
        missing = set(FAILPOINTS) - set(self._schedule.passed)
        most = (
            2 * self._kills
            if missing and len(self._progress_registry.over) < len(self.orders)
            else self._kills
        )
        return self.report.kills < most

    # --- one life -----------------------------------------------------------------------------------

    async def _live(self) -> None:
        submitting = not self._progress_registry.pending <= self._stored.keys()
        death = self._schedule.death(
            self._progress_registry.life + 1, self._stored.values(), self._missing(), submitting
        )
        self.report.idle += not (
            self._progress_registry.pending or any(not task.over for task in self._stored.values())
        )
        began = perf_counter()
        await self._begin(death)
        if death.early is not None:
            by_itself = await self._dies(death.early)
        elif await self._service.ready():
            self.report.ready.append(perf_counter() - began)
            by_itself = await self._work(death)
        else:
            by_itself = True
        await self._end(death, by_itself)
        await self._look_back()

    def _missing(self) -> dict[int, int]:
        """Answers of the model that each order still needs."""
        checkpoints = {number: task.checkpoints for number, task in self._stored.items()}
        return {
            order.number: len(order.parts - checkpoints.get(order.number, frozenset()))
            for order in self.orders
        }

    async def _begin(self, death: Death) -> None:
        self._progress_registry.begin()
        self._model.begin(self._progress_registry.life)
        in_process = death.failpoint and death.failpoint not in EFFECTS
        await self._service.launch(f"{death.failpoint}:{death.nth}" if in_process else "")
        self._github.doom = (death.failpoint, self._strike) if death.failpoint in EFFECTS else None

    def _strike(self) -> None:
        os.kill(self._service.pid, signal.SIGKILL)

    async def _dies(self, seconds: float) -> bool:
        """Whether it dies by itself within this time."""
        with anyio.move_on_after(seconds):
            await self._service.ended()
            return True
        return False

    async def _work(self, death: Death) -> bool:
        """From ready to the moment of the kill; whether the service died before it."""
        poor = {order: self._progress_registry.progress[order] for order in death.poor}
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._answer, death)
            if poor:
                with anyio.fail_after(PATIENCE):
                    await self._progress_registry.until(
                        lambda: all(self._moved(*order) for order in poor.items())
                    )
            by_itself = await self._dies(death.late)
            tg.cancel_scope.cancel()
        return by_itself

    def _moved(self, order: int, before: int) -> bool:
        return self._progress_registry.progress[order] > before or order in self._progress_registry.over

    async def _answer(self, death: Death) -> None:
        random = Random(f"answers:{self._progress_registry.life}")
        for order in death.answers:
            self._model.release(order)
            await anyio.sleep(0.15 * random.random())

    async def _end(self, death: Death, by_itself: bool) -> None:
        await self._service.close()
        status = await self._service.ended()
        if status != -signal.SIGKILL or (by_itself and not death.failpoint):
            self.report.others.append(
                f"life {self._progress_registry.life}: the service ended by itself ({status})"
            )
        if by_itself and death.failpoint:
            self._schedule.passed[death.failpoint] += 1
        self.report.deaths[_cause(death, by_itself)] += 1
        if self._progress_registry.first_event is not None:
            self.report.resumed.append(self._progress_registry.first_event)

    async def _look_back(self) -> None:
        """Compare what the dead service has on disk with what it had before and with what it told."""
        found = await anyio.to_thread.run_sync(snapshot, self._service.data_dir, self._folder)
        after = {task.number: task for task in found.values()}
        self.report.others += inspection.doubles(found.values())
        self._compare(after)

    def _compare(self, after: Mapping[int, Stored]) -> None:
        self.report.lost += inspection.memory(self._progress_registry, self._stored, after)
        calls = [call for call in self._model.calls if call.life == self._progress_registry.life]
        self.report.calls.add(self._model, calls, self._stored, after)
        self._stored = dict(after)

    # --- the end ------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """The last life: everything is done, everybody follows once more, the service stops in order."""
        self._progress_registry.begin(last=True)
        self._model.begin(self._progress_registry.life)
        self._model.open()
        await self._service.start()
        await self._progress_registry.until(lambda: len(self._progress_registry.over) == len(self.orders))
        async with anyio.create_task_group() as tg:
            for order in self.orders:
                tg.start_soon(self._customers.follow, order)

    async def _inspect(self) -> None:
        views = [await self._customers.view(order) for order in self.orders]
        if status := await self._service.terminate():
            self.report.others.append(f"the service did not stop in order ({status})")
        found = tasks(self._service.data_dir)
        self.report.others += inspection.doubles(found.values()) + self._progress_registry.faults
        self._compare({task.number: task for task in found.values()})
        self._inspect_sequences()
        for order, view in zip(self.orders, views, strict=True):
            self.report.repositories += await inspection.repository(self._github, order, view)
        effects = self._github.effects
        if (len(self._github.repos), effects["create"], effects["push"]) != (len(self.orders),) * 3:
            self.report.repositories.append(f"{len(self._github.repos)} repositories, effects {effects}")

    def _inspect_sequences(self) -> None:
        stored = logs(self._service.data_dir)
        for followers in self._customers.followers.values():
            for follower in followers:
                self.report.told_wrongly += inspection.sequence(follower, stored[follower.task_id])
                self.report.sequences += 1
                self.report.messages += len(follower.messages)
                self.report.connections += follower.connections


def _cause(death: Death, by_itself: bool) -> str:
    if by_itself and death.failpoint:
        return death.failpoint
    if death.early is not None:
        return "while starting"
    return "random, after progress" if death.poor else "random"


@asynccontextmanager
async def campaign(
    seed: int, kills: int, count: int, folder: Path, tell: Callable[[str], None] = lambda _progress: None
) -> AsyncIterator[Campaign]:
    """Everything that the campaign of `kills` kills of a service with `count` orders needs, in `folder`."""
    calls = max(4, round(ANSWERS_PER_KILL * kills / count))
    orders = make_orders(count, calls, Random(f"{seed}:orders"))
    progress_registry = Board()
    async with paced_model(orders) as model, lethal_github(folder / "github") as github:
        service = Service(folder, settings(model, UNDER_WAY, github))
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=60) as http:
            customers = Customers(seed, service.port, progress_registry, http, UNDER_WAY)
            try:
                yield Campaign(
                    seed, kills, orders, folder, model, github, service, progress_registry, customers, tell
                )
            finally:
                with anyio.CancelScope(shield=True):
                    await service.close()


# --- the command ------------------------------------------------------------------------------------


async def _run(kills: int, count: int, seed: int, folder: Path) -> KillReport:
    async with campaign(seed, kills, count, folder, _progress) as it:
        await it.run()
        print(file=sys.stderr)  # below the line of progress
        return it.report


def _progress(text: str) -> None:
    """One line that overwrites itself on a terminal."""
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
