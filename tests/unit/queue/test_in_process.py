"""The queue inside one process: order, fairness, bounds; and that it holds ids only."""

from __future__ import annotations

import gc

import anyio
import pytest

from gencode.domain.errors import QueueFull
from gencode.domain.task import Task
from gencode.queue.in_process import FairQueue
from tests.unit.engine.rig import new_task


def filled(principals: str, limit: int = 100) -> FairQueue:
    """Ids are the principal's letter and a number: "aab" puts a0, a1 and b2."""
    queue = FairQueue(limit)
    for n, principal in enumerate(principals):
        queue.put(f"{principal}{n}", principal)
    return queue


async def taken(queue: FairQueue, count: int) -> list[str]:
    return [await queue.take() for _ in range(count)]


async def principals(queue: FairQueue, count: int) -> str:
    return "".join(task_id[0] for task_id in await taken(queue, count))


async def test_a_single_principal_is_served_in_order() -> None:
    queue = filled("aaaa")
    assert await taken(queue, 4) == ["a0", "a1", "a2", "a3"]
    assert len(queue) == 0


async def test_principals_take_turns_whoever_floods() -> None:
    assert await principals(filled("aaaaaabbc"), 9) == "abcabaaaa"


async def test_a_principal_that_comes_back_goes_to_the_end() -> None:
    queue = filled("abc")
    assert await principals(queue, 1) == "a"
    queue.put("a9", "a")
    assert await principals(queue, 3) == "bca"


async def test_it_is_bounded_and_says_when_to_come_back() -> None:
    queue = filled("a", limit=2)
    with queue.reserve("a"):
        with pytest.raises(QueueFull) as caught, queue.reserve("a"):
            pass
        assert caught.value.retry_after
        queue.put("a1", "a")
    with pytest.raises(QueueFull), queue.reserve("a"):
        pass
    await queue.take()
    with queue.reserve("a"):
        pass


async def test_a_reservation_that_was_not_used_is_free_again() -> None:
    queue = FairQueue(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), queue.reserve("a"):
            raise ZeroDivisionError


async def test_waiting_takers_are_woken_and_nothing_is_taken_twice() -> None:
    queue, found = FairQueue(10), []

    async def take() -> None:
        found.append(await queue.take())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        for task_id in ("one", "two", "three"):
            queue.put(task_id, "a")
    assert sorted(found) == ["one", "three", "two"]


async def test_a_cancelled_taker_takes_nothing() -> None:
    queue = FairQueue(10)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await queue.take()
    queue.put("one", "a")
    assert await queue.take() == "one"


async def test_removing_leaves_the_others_in_order() -> None:
    queue = filled("abab")
    assert "a2" in queue
    assert [queue.remove("a2"), queue.remove("a2"), queue.remove("unknown")] == [True, False, False]
    assert ("a2" in queue, len(queue)) == (False, 3)
    assert await principals(queue, 3) == "abb"
    queue.put("a0", "a")
    assert queue.remove("a0")
    assert len(queue) == 0


async def test_put_first_restores_the_place_before_the_removal() -> None:
    queue = filled("aaa")
    queue.remove("a0")
    queue.put_first("a0", "a")
    assert await taken(queue, 3) == ["a0", "a1", "a2"]


@pytest.mark.parametrize("again", ["put", "put_first"])
async def test_an_id_that_is_queued_already_stays_where_it_is(again: str) -> None:
    queue = filled("aab")
    getattr(queue, again)("a1", "a")
    assert len(queue) == 3
    assert await taken(queue, 3) == ["a0", "b2", "a1"]
    assert "a1" not in queue
    getattr(queue, again)("a1", "a")
    assert await queue.take() == "a1"


def test_it_holds_ids_and_no_task() -> None:
    """900 waiting tasks with prompts of 99,000 characters took 530 MB (review, point 5)."""
    queue = FairQueue(10)
    task = new_task(principal="alice")
    queue.put(task.id, task.principal.id)
    assert {type(held) for held in reachable(queue)} & {Task} == set()


def reachable(root: object) -> list[object]:
    """Every object that `root` refers to, through containers and instances."""
    found: dict[int, object] = {}
    todo = [root]
    while todo:
        one = todo.pop()
        if id(one) not in found and not isinstance(one, type):
            found[id(one)] = one
            todo += gc.get_referents(one)
    return list(found.values())


@pytest.mark.fault(118)
async def test_a_queue_that_one_principal_has_filled_still_takes_another_s_tasks() -> None:
    queue = filled("a" * 100, limit=100)
    with pytest.raises(QueueFull), queue.reserve("a"):
        pass
    for n in range(5):  # a twentieth of the limit
        with queue.reserve("b"):
            queue.put(f"b{n}", "b")
    with pytest.raises(QueueFull), queue.reserve("b"):
        pass
    with queue.reserve("c"):
        pass


@pytest.mark.fault(118)
async def test_however_many_principals_there_are_the_queue_is_bounded() -> None:
    queue = filled("a" * 100, limit=100)
    accepted = 0
    for n in range(1000):
        try:
            with queue.reserve(f"p{n}"):
                queue.put(f"t{n}", f"p{n}")
                accepted += 1
        except QueueFull:
            pass
    assert accepted == 50


async def test_the_longest_wait_is_that_of_the_first_to_arrive() -> None:
    now = 100.0
    queue = FairQueue(10, lambda: now)
    assert queue.longest_wait == 0
    queue.put("a0", "a")
    now = 110.0
    queue.put("b0", "b")
    queue.put_first("a1", "a")
    now = 115.0
    assert queue.longest_wait == 15
    queue.remove("a0")
    assert queue.longest_wait == 5
    await taken(queue, 2)
    assert queue.longest_wait == 0
