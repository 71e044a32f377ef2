from __future__ import annotations

import anyio
import pytest

from gencode.domain.errors import QueueFull
from gencode.queue.in_process import FairQueue
from tests.unit.storage.samples import a_task


async def clients(line: FairQueue, count: int) -> str:
    return "".join([(await line.take()).client for _ in range(count)])


async def test_one_client_is_served_in_order() -> None:
    line, tasks = FairQueue(10), [a_task() for _ in range(4)]
    for task in tasks:
        line.put(task)
    assert [await line.take() for _ in tasks] == tasks
    assert len(line) == 0


async def test_clients_take_turns_whoever_floods() -> None:
    line = FairQueue(100)
    for client in "aaaaaabbc":
        line.put(a_task(client=client))
    assert await clients(line, 9) == "abcabaaaa"


async def test_who_comes_back_goes_to_the_end() -> None:
    line = FairQueue(100)
    for client in "abc":
        line.put(a_task(client=client))
    assert await clients(line, 1) == "a"
    line.put(a_task(client="a"))
    assert await clients(line, 3) == "bca"


async def test_it_is_bounded_and_says_when_to_come_back() -> None:
    line = FairQueue(2)
    line.put(a_task())
    with line.reserve():
        with pytest.raises(QueueFull) as caught, line.reserve():
            pass
        assert caught.value.retry_after
        line.put(a_task())
    with pytest.raises(QueueFull), line.reserve():
        pass
    await line.take()
    with line.reserve():
        pass


async def test_a_place_that_was_not_used_is_free_again() -> None:
    line = FairQueue(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.reserve():
            raise ZeroDivisionError


async def test_who_waits_is_woken_and_nothing_is_taken_twice() -> None:
    line, taken = FairQueue(10), []

    async def take() -> None:
        taken.append(await line.take())

    tasks = [a_task() for _ in range(3)]
    async with anyio.create_task_group() as tg:
        for _ in tasks:
            tg.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        for task in tasks:
            line.put(task)
    assert sorted(task.id for task in taken) == sorted(task.id for task in tasks)


async def test_a_taker_that_is_cancelled_takes_nothing() -> None:
    line = FairQueue(10)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await line.take()
    task = a_task()
    line.put(task)
    assert await line.take() == task


async def test_what_is_removed_leaves_the_others_in_order() -> None:
    line = FairQueue(10)
    tasks = [a_task(client=client) for client in "abab"]
    for task in tasks:
        line.put(task)
    assert line.remove(tasks[2].id) == tasks[2]
    assert line.remove(tasks[2].id) is None
    assert line.remove("unknown") is None
    assert len(line) == 3
    assert await clients(line, 3) == "abb"
    line.put(tasks[0])
    assert line.remove(tasks[0].id) == tasks[0]
    assert len(line) == 0


async def test_what_is_put_back_is_the_first_of_its_client() -> None:
    line = FairQueue(10)
    tasks = [a_task() for _ in range(3)]
    for task in tasks:
        line.put(task)
    line.remove(tasks[0].id)
    line.put_back(tasks[0])
    assert [await line.take() for _ in tasks] == tasks
