"""Of one client few requests read at once, and another client's is not held up by them."""

from __future__ import annotations

import anyio

from gencode.http.per_client_semaphore import PerClientSemaphore


async def test_each_client_has_its_own_places_in_the_order_of_the_calls() -> None:
    limiter, done, inside = PerClientSemaphore(2), anyio.Event(), list[str]()

    async def hold(client: str, name: str) -> None:
        async with limiter.hold(client):
            inside.append(name)
            await done.wait()

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(hold, "flood", f"flood {number}")
        group.start_soon(hold, "other", "other")
        await anyio.wait_all_tasks_blocked()
        assert inside == ["flood 0", "flood 1", "other"]
        done.set()
    assert inside == ["flood 0", "flood 1", "other", "flood 2", "flood 3", "flood 4"]
    assert not limiter._semaphores, "nothing is kept of clients that have left"


async def test_a_cancelled_request_leaves_its_place_to_the_next() -> None:
    limiter, inside = PerClientSemaphore(1), list[str]()

    async def hold(name: str) -> None:
        async with limiter.hold("client"):
            inside.append(name)
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        async with anyio.create_task_group() as first:
            first.start_soon(hold, "first")
            await anyio.wait_all_tasks_blocked()
            group.start_soon(hold, "second")
            await anyio.wait_all_tasks_blocked()
            assert inside == ["first"]
            first.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert inside == ["first", "second"]
        group.cancel_scope.cancel()
    assert not limiter._semaphores
