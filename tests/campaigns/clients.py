"""Clients that submit each order until it is accepted, and follow its task to the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random
from typing import Any

import anyio
import httpx

from tests.campaigns.follower import RETRY_SECONDS, Follower, UnexpectedAnswer
from tests.campaigns.observations import Observations
from tests.campaigns.orders import CLIENTS, Order

FOLLOWERS = 2


class Clients:
    """`followers`: all subscribers so far, by order. `try_again`: answers of a proxy without a service."""

    def __init__(
        self,
        seed: int,
        port: int,
        observations: Observations,
        http: httpx.AsyncClient,
        window: int,
        try_again: Collection[int] = (),
    ) -> None:
        self.followers: dict[int, list[Follower]] = {}
        self._seed = seed
        self._port = port
        self._observations = observations
        self._http = http
        self._limiter = anyio.Semaphore(window)
        self._try_again = try_again

    async def run(self, orders: Sequence[Order]) -> None:
        """Submit and follow all orders, a bounded number at once."""
        async with anyio.create_task_group() as tg:
            for order in orders:
                await self._limiter.acquire()
                tg.start_soon(self._submit_and_follow, order)

    async def follow(self, order: Order) -> None:
        """Add a subscriber that reads from the first event to the end."""
        follower = Follower(
            self._port,
            self._observations.accepted[order.number],
            CLIENTS[order.client],
            on_event=lambda id_, message: self._observations.record_event(order, id_, message),
        )
        self.followers.setdefault(order.number, []).append(follower)
        try:
            await follower.run()
        except UnexpectedAnswer as error:
            self._observations.faults.append(f"order {order.number}: {error}")

    async def view(self, order: Order) -> dict[str, Any]:
        """The task as GET /task/{id} shows it."""
        task_id = self._observations.accepted[order.number]
        headers = {"Authorization": f"Bearer {CLIENTS[order.client]}"}
        answer = await self._http.get(f"/api/v1/task/{task_id}", headers=headers)
        if answer.status_code != 200:
            return {"task_id": task_id, "status": f"HTTP {answer.status_code}", "error": answer.text}
        view: dict[str, Any] = answer.json()
        return view

    async def _submit_and_follow(self, order: Order) -> None:
        random = Random(f"{self._seed}:customer:{order.number}")
        await self._submit(order, random)
        async with anyio.create_task_group() as tg:
            for _ in range(FOLLOWERS):
                tg.start_soon(self.follow, order)
            if random.random() < 0.5:
                tg.start_soon(self._submit_again, order)
        self._observations.record_finished(order)
        self._limiter.release()

    async def _submit(self, order: Order, random: Random) -> None:
        """In the next incarnation: a kill at a submission can be planned for it. Sometimes twice at once."""
        self._observations.pending.add(order.number)
        await self._observations.next_incarnation()
        await anyio.sleep(0.3 * random.random())
        async with anyio.create_task_group() as tg:
            for _ in range(random.choice([1, 1, 2])):
                tg.start_soon(self._post, order)

    async def _submit_again(self, order: Order) -> None:
        """The same key in a later incarnation: the answer must be the same."""
        await self._observations.next_incarnation()
        await self._post(order)

    async def _post(self, order: Order) -> None:
        headers = {"Authorization": f"Bearer {CLIENTS[order.client]}", "Idempotency-Key": order.key}
        while True:
            try:
                answer = await self._http.post(
                    "/api/v1/generate",
                    json=order.body,
                    headers=headers | {"Accept-Language": order.language},
                )
                if answer.status_code not in self._try_again:
                    break
            except httpx.TransportError:
                pass
            await anyio.sleep(RETRY_SECONDS)
        if answer.status_code == 202:
            self._observations.record_accepted(order, answer.json()["task_id"])
        else:
            self._observations.faults.append(
                f"order {order.number}: {answer.status_code} {answer.text[:300]}"
            )
