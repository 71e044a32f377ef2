"""The reconnect campaign: connections of subscribers are cut at random bytes, ten thousand times.

    python -m tests.campaigns.reconnect --reconnects 10000 --seed 1

The real service runs as a child process with the scripted model, which paces its answers so that tasks are
in progress all the time. Subscribers over raw sockets follow running and finished tasks, in reads of one
byte to 64 KB, are cut by FIN or RST at random positions (in headers, in messages, within UTF-8 characters),
and resume with Last-Event-ID; what each of them received must equal the stored log, byte by byte. The seed
determines the orders and every cut; what has been published by then depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

import anyio
import httpx

from tests.campaigns import inspection
from tests.campaigns.figures import none_of, versions
from tests.campaigns.follower import Cut, Follower, UnexpectedAnswer
from tests.campaigns.model import PacedModel, paced_model
from tests.campaigns.orders import CLIENTS, Order, make_orders
from tests.campaigns.running import run_campaign
from tests.campaigns.service import settings
from tests.campaigns.stored import logs
from tests.servers.service import Service

SUBSCRIBERS = 16
"""At most; in a short campaign fewer, so that each of them follows finished tasks too."""
AT_ONCE = 2
"""Tasks that run at once; the others are queued, and followed too."""
ANSWERS = 12
"""Approximate number of model calls of each order."""
PROGRESS_SECONDS = 120.0
"""Seconds for the tasks to finish once no answer is paused."""


@dataclass(kw_only=True)
class Report:
    """`followers` were all compared with the log; `live` of them began while their task was running."""

    orders: int
    followers: list[Follower] = field(default_factory=list)
    live: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def reconnects(self) -> int:
        return sum(max(follower.connections - 1, 0) for follower in self.followers)


LAST = Cut(read_size=251)
"""Of the connections that are not cut: some of their reads end within a character on any machine, however few
bytes came before the others were cut."""


class Campaign:
    """One service that is not killed, and its subscribers."""

    def __init__(
        self,
        seed: int,
        reconnects: int,
        orders: Sequence[Order],
        model: PacedModel,
        service: Service,
        http: httpx.AsyncClient,
    ) -> None:
        self.report = Report(orders=len(orders))
        self._seed = seed
        self._wanted = reconnects
        self._orders = orders
        self._model = model
        self._service = service
        self._http = http
        self._tasks: dict[int, str] = {}
        self._finished: set[int] = set()
        self._connected = 0

    async def run(self) -> None:
        """Follow until there were enough reconnects; then let every task and every subscriber finish."""
        began = perf_counter()
        for order in self._orders:
            await self._submit(order)
        async with anyio.create_task_group() as tg:
            for number in range(min(SUBSCRIBERS, self._wanted // 100 + 1)):
                tg.start_soon(self._subscribe, number)
            while not self._enough:
                self._release_in_step()
                await anyio.sleep(0.005)
            self._model.open()
            for order in self._orders:  # some may not have been followed at all
                tg.start_soon(self._follow, order, Random(0))
            tg.cancel_scope.deadline = anyio.current_time() + PROGRESS_SECONDS
        if tg.cancel_scope.cancelled_caught:
            self.report.faults.append(f"not every stream came to its end within {PROGRESS_SECONDS:g} s")
        await self._inspect()
        self.report.seconds = perf_counter() - began

    @property
    def _enough(self) -> bool:
        return self._connected >= self._wanted + len(self.report.followers)

    async def _submit(self, order: Order) -> None:
        headers = {"Authorization": f"Bearer {CLIENTS[order.client]}", "Accept-Language": order.language}
        answer = await self._http.post("/api/v1/generate", json=order.body, headers=headers)
        self._tasks[order.number] = answer.raise_for_status().json()["task_id"]

    def _release_in_step(self) -> None:
        """Release the same share of answers as of reconnects: tasks run until the last of them."""
        total = sum(len(order.parts) for order in self._orders)
        due = total * self._connected // self._wanted
        for _ in range(due - self._model.released):
            self._model.release()

    # --- subscribers --------------------------------------------------------------------------------

    async def _subscribe(self, number: int) -> None:
        """Subscribe again and again, to running and to finished tasks."""
        random = Random(f"{self._seed}:subscriber:{number}")
        while not self._enough:
            await self._follow(self._choose(random), random)

    def _choose(self, random: Random) -> Order:
        finished = [order for order in self._orders if order.number in self._finished]
        running = [order for order in self._orders if order.number not in self._finished]
        if finished and (not running or random.random() < 0.8):  # the stream of a running task lasts long
            return random.choice(finished)
        return random.choice(running[: AT_ONCE + 1])

    async def _follow(self, order: Order, random: Random) -> None:
        follower = Follower(
            self._service.port,
            self._tasks[order.number],
            CLIENTS[order.client],
            cuts=lambda: self._cut(random),
            deltas=random.random() < 0.3,
        )
        self.report.live += order.number not in self._finished
        self.report.followers.append(follower)
        try:
            await follower.run()
        except UnexpectedAnswer as error:
            self.report.faults.append(str(error))
        self._finished.add(order.number)

    def _cut(self, random: Random) -> Cut:
        """The cut of the next connection. Positions are distributed logarithmically, so that some cuts are in
        the headers and some behind 100 KB; a stream without messages is cut after some time."""
        self._connected += 1
        if self._enough:
            return LAST
        after = round(10 ** random.uniform(1, 5))
        read_size = random.choice(
            [65536, random.randint(100, 2000), random.randint(1, 9) if after < 2000 else 1460]
        )
        seconds = 10 ** random.uniform(-2.5, -0.3)
        return Cut(after=after, seconds=seconds, read_size=read_size, reset=random.random() < 0.5)

    # --- the end ------------------------------------------------------------------------------------

    async def _inspect(self) -> None:
        if status := await self._service.terminate():
            self.report.faults.append(f"the service did not stop in order ({status})")
        stored = logs(self._service.data_dir)
        for follower in self.report.followers:
            self.report.faults += inspection.stream_faults(follower, stored[follower.task_id])
        for order in self._orders:
            if b'"status":"completed"' not in stored[self._tasks[order.number]][-1]:
                self.report.faults.append(f"order {order.number} was not completed")


@asynccontextmanager
async def campaign(
    seed: int, reconnects: int, folder: Path, count: int | None = None
) -> AsyncIterator[Campaign]:
    """A running service with `count` orders (default: one for each 250 reconnects)."""
    orders = make_orders(count or max(4, reconnects // 250), ANSWERS, Random(f"{seed}:orders"))
    async with paced_model(orders) as model:
        service = Service(folder, settings(model, AT_ONCE))
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=60) as http:
            try:
                await service.start()
                yield Campaign(seed, reconnects, orders, model, service, http)
            finally:
                with anyio.CancelScope(shield=True):
                    await service.close()


# --- the command ------------------------------------------------------------------------------------


def show(report: Report, seed: int) -> str:
    """The figures, for a terminal and for the record."""
    followers = report.followers
    sizes = [sum(map(len, follower.messages)) for follower in followers]
    lines = [
        f"seed {seed}; {report.reconnects} reconnects, {report.orders} tasks, {report.seconds:.0f} s",
        versions(),
        "",
        f"{len(followers):6} subscriptions, {report.live} of them begun while their task was in progress",
        f"{sum(len(follower.messages) for follower in followers):6} messages, {sum(sizes) / 2**20:.1f} MiB;"
        f" the longest sequence {max(sizes) / 2**10:.0f} KiB",
        f"{sum(follower.cuts for follower in followers):6} connections cut before their end",
        f"{sum(follower.split for follower in followers):6} reads that ended within a UTF-8 character",
        "",
        f"{len(report.faults):6} sequences with a gap, repeat, disorder or other bytes, and other faults",
        f"violations per reconnect: {none_of(report.reconnects)}" if not report.faults else "",
        *(f"VIOLATION {fault}" for fault in report.faults[:50]),
    ]
    return "\n".join(lines)


async def _run(reconnects: int, count: int | None, seed: int, folder: Path) -> Report:
    async with campaign(seed, reconnects, folder, count) as it:
        await it.run()
        return it.report


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    return run_campaign(
        "reconnect",
        f"{chosen.reconnects} reconnects, seed {chosen.seed}",
        lambda folder: _run(chosen.reconnects, chosen.tasks, chosen.seed, folder),
        lambda report: show(report, chosen.seed),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Cut the connections of subscribers.")
    wanted = os.environ.get("RECONNECTS") or os.environ.get("CUTS") or 10000
    parser.add_argument("--reconnects", "--cuts", type=int, default=int(wanted))
    parser.add_argument("--tasks", type=int, help="default: one for each 250 reconnects")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    return parser


if __name__ == "__main__":
    sys.exit(main())
