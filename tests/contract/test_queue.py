"""The contract of `gencode.engine.ports.fair_queue.Queue`, for each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import anyio
import pytest

from gencode.domain.errors import QueueFull
from gencode.engine.ports.fair_queue import Delivery
from gencode.queue.in_process import FairQueue
from tests.servers.queues import QueueHarness, open_queue, queue_database

LIMIT = 4


@pytest.fixture(params=["in process", "procrastinate"])
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[QueueHarness]:
    if request.param == "in process":
        fair = FairQueue(LIMIT)

        async def put_here(task_id: str, principal: str) -> None:
            fair.put(task_id, principal)

        yield QueueHarness(queue=fair, put=put_here)
        return
    dsn = queue_database(request.getfixturevalue("postgres_server"))
    async with open_queue(dsn, LIMIT) as opened:

        async def put_there(task_id: str, principal: str) -> None:
            await opened.put((task_id, principal))
            await opened.queue._count()

        yield QueueHarness(queue=opened.queue, put=put_there)


async def delivered(harness: QueueHarness, count: int, concurrency: int = 1) -> list[str]:
    """The ids of the first deliveries, in their order."""
    found: list[str] = []
    done = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        found.append(delivery.task_id)
        if len(found) >= count:
            done.set()

    await while_working(harness, handle, done.wait, concurrency)
    return found


async def while_working(
    harness: QueueHarness,
    handle: Callable[[Delivery], Awaitable[None]],
    body: Callable[[], Awaitable[object]],
    concurrency: int = 1,
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(harness.queue.work, handle, concurrency)
        await body()
        group.cancel_scope.cancel()


async def test_one_principals_tasks_are_delivered_in_the_order_in_which_they_were_put(
    harness: QueueHarness,
) -> None:
    for task_id in ("a1", "a2", "a3"):
        await harness.put(task_id, "alice")
    assert await delivered(harness, 3) == ["a1", "a2", "a3"]


async def test_principals_take_turns(harness: QueueHarness) -> None:
    for task_id in ("a1", "a2", "a3", "a4", "a5", "b1", "b2"):
        await harness.put(task_id, task_id[0])
    order = await delivered(harness, 7)
    assert [task_id for task_id in order if task_id.startswith("a")] == ["a1", "a2", "a3", "a4", "a5"]
    assert [task_id for task_id in order if task_id.startswith("b")] == ["b1", "b2"]
    assert order.index("b1") <= 2
    assert order.index("b2") <= 4


async def test_what_is_put_while_the_workers_wait_is_delivered(harness: QueueHarness) -> None:
    handled = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        handled.set()

    async def body() -> None:
        await harness.put("late", "alice")
        await handled.wait()

    await while_working(harness, handle, body)


async def test_no_more_tasks_are_delivered_at_once_than_asked_for(harness: QueueHarness) -> None:
    running = most = finished = 0
    both, done = anyio.Event(), anyio.Event()

    async def handle(delivery: Delivery) -> None:
        nonlocal running, most, finished
        running += 1
        most = max(most, running)
        if running == 2:
            both.set()
        await both.wait()
        await anyio.sleep(0.01)
        running -= 1
        finished += 1
        if finished == 6:
            done.set()

    for n in range(6):
        await harness.put(f"t{n}", "alice")
    await while_working(harness, handle, done.wait, concurrency=2)
    assert most == 2


async def test_the_end_of_the_work_cancels_what_is_being_handled(harness: QueueHarness) -> None:
    started = anyio.Event()
    cancelled = False

    async def handle(delivery: Delivery) -> None:
        nonlocal cancelled
        started.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            cancelled = True
            raise

    await harness.put("long", "alice")
    await while_working(harness, handle, started.wait)
    assert cancelled


async def test_a_full_queue_refuses_except_those_who_have_little_in_it(harness: QueueHarness) -> None:
    for n in range(LIMIT):
        await harness.put(f"t{n}", "alice")
    assert len(harness.queue) == LIMIT
    with pytest.raises(QueueFull), harness.queue.reserve("alice"):
        raise AssertionError
    with harness.queue.reserve("bob"):
        await harness.put("b1", "bob")


async def test_reserved_places_count_and_are_given_back_after_a_failure(harness: QueueHarness) -> None:
    for n in range(LIMIT - 1):
        await harness.put(f"t{n}", "alice")
    with suppress(ZeroDivisionError), harness.queue.reserve("alice"):
        with pytest.raises(QueueFull), harness.queue.reserve("alice"):
            raise AssertionError
        raise ZeroDivisionError
    with harness.queue.reserve("alice"):
        pass


@pytest.mark.parametrize("owner", ["", "0", "99999999", "somebody", "-1", "9" * 40])
async def test_an_unknown_worker_is_not_alive(harness: QueueHarness, owner: str) -> None:
    assert not await harness.queue.is_alive(owner)
