"""Clients that submit orders until they are told that they were accepted, and follow them to the end."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import anyio
import httpx

from tests.campaigns.board import Board
from tests.campaigns.follower import RETRY_SECONDS, Follower, Refused
from tests.campaigns.orders import CLIENTS, Order

FOLLOWERS = 2


class Customers:
    """`followers` holds, by order, everybody who followed it."""

    def __init__(
        self, seed: int, port: int, progress_registry: Board, http: httpx.AsyncClient, window: int
    ) -> None:
        self.followers: dict[int, list[Follower]] = {}
        self._seed = seed
        self._port = port
        self._progress_registry = progress_registry
        self._http = http
        self._window = anyio.Semaphore(window)

    async def serve(self, orders: Sequence[Order]) -> None:
        """All orders, a bounded number of them under way at once."""
        async with anyio.create_task_group() as tg:
            for order in orders:
                await self._window.acquire()
                tg.start_soon(self._journey, order)

    async def follow(self, order: Order) -> None:
        """One more subscriber, from the first event to the end."""
        follower = Follower(
            self._port,
            self._progress_registry.accepted[order.number],
            CLIENTS[order.client],
            heard=lambda id_, message: self._progress_registry.hear(order, id_, message),
        )
        self.followers.setdefault(order.number, []).append(follower)
        try:
            await follower.run()
        except Refused as error:
            self._progress_registry.faults.append(f"order {order.number}: {error}")

    async def view(self, order: Order) -> dict[str, Any]:
        """The task as the service tells it."""
        task_id = self._progress_registry.accepted[order.number]
        headers = {"Authorization": f"Bearer {CLIENTS[order.client]}"}
        answer = await self._http.get(f"/api/v1/task/{task_id}", headers=headers)
        if answer.status_code != 200:
            return {"task_id": task_id, "status": f"HTTP {answer.status_code}", "error": answer.text}
        view: dict[str, Any] = answer.json()
        return view

    async def _journey(self, order: Order) -> None:
        random = Random(f"{self._seed}:customer:{order.number}")
        await self._submit(order, random)
        async with anyio.create_task_group() as tg:
            for _ in range(FOLLOWERS):
                tg.start_soon(self.follow, order)
            if random.random() < 0.5:
                tg.start_soon(self._submit_again, order)
        self._progress_registry.finish(order)
        self._window.release()

    async def _submit(self, order: Order, random: Random) -> None:
        """In the next life of the service, so that its end can be planned; sometimes twice at once."""
        self._progress_registry.pending.add(order.number)
        await self._progress_registry.next_life()
        await anyio.sleep(0.3 * random.random())
        async with anyio.create_task_group() as tg:
            for _ in range(random.choice([1, 1, 2])):
                tg.start_soon(self._post, order)

    async def _submit_again(self, order: Order) -> None:
        """The same key in a later life: the answer must be the same."""
        await self._progress_registry.next_life()
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
                break
            except httpx.TransportError:
                await anyio.sleep(RETRY_SECONDS)
        if answer.status_code == 202:
            self._progress_registry.accept(order, answer.json()["task_id"])
        else:
            self._progress_registry.faults.append(
                f"order {order.number}: {answer.status_code} {answer.text[:300]}"
            )
