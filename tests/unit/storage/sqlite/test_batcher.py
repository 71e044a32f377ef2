from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from gencode.domain.errors import StoreError
from gencode.storage.sqlite.batcher import Batcher, Outcome


class Disk:
    """Notes each batch and, while `gate` is clear, takes its time over it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def run(self, operations: Sequence[str]) -> list[Outcome]:
        self.batches.append(list(operations))
        self.entered.release()
        assert self.gate.wait(30)
        if "bug" in operations:
            raise RuntimeError("a bug")
        return [Outcome(value=operation.upper()) for operation in operations]

    async def is_busy(self) -> None:
        await asyncio.to_thread(self.entered.acquire)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def batcher(disk: Disk) -> AsyncIterator[Batcher[str]]:
    with ThreadPoolExecutor(max_workers=1) as thread:
        batcher: Batcher[str] = Batcher(disk.run, thread, limit=5)
        yield batcher
        disk.gate.set()
        await batcher.close()


async def called(batcher: Batcher[str], *operations: str) -> list[asyncio.Task[str]]:
    """Callers that wait now."""
    callers = [asyncio.create_task(batcher(operation)) for operation in operations]
    await asyncio.sleep(0)
    return callers


async def test_what_is_ready_at_once_makes_one_batch(disk: Disk, batcher: Batcher[str]) -> None:
    assert await asyncio.gather(*map(batcher, "abc")) == ["A", "B", "C"]
    assert disk.batches == [["a", "b", "c"]]


async def test_what_comes_while_a_batch_is_outstanding_makes_the_next_one(
    disk: Disk, batcher: Batcher[str]
) -> None:
    disk.gate.clear()
    first = await called(batcher, "a")
    await disk.is_busy()
    rest = await called(batcher, "b", "c", "d")
    disk.gate.set()
    assert await asyncio.gather(*first, *rest) == ["A", "B", "C", "D"]
    assert disk.batches == [["a"], ["b", "c", "d"]]


async def test_what_is_too_much_for_one_batch_comes_in_several_in_the_order_of_the_calls(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, batcher: Batcher[str]
) -> None:
    monkeypatch.setattr("gencode.storage.sqlite.batcher.MOST", 2)
    assert await asyncio.gather(*map(batcher, "abcde")) == ["A", "B", "C", "D", "E"]
    assert disk.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_too_many_waiting_are_refused_and_the_others_served(disk: Disk, batcher: Batcher[str]) -> None:
    disk.gate.clear()
    first = await called(batcher, "0")
    await disk.is_busy()
    waiting = await called(batcher, *"12345")
    with pytest.raises(StoreError, match="too much is waiting"):
        await batcher("6")
    disk.gate.set()
    assert await asyncio.gather(*first, *waiting) == list("012345")


async def test_a_cancelled_caller_leaves_its_operation_in_the_batch(
    disk: Disk, batcher: Batcher[str]
) -> None:
    disk.gate.clear()
    outstanding = await called(batcher, "a", "b")
    await disk.is_busy()
    waiting = await called(batcher, "c", "d")
    for caller in (outstanding[0], waiting[0]):
        caller.cancel()
    disk.gate.set()
    assert await asyncio.gather(outstanding[1], waiting[1]) == ["B", "D"]
    assert disk.batches == [["a", "b"], ["c", "d"]]
    assert outstanding[0].cancelled()
    assert waiting[0].cancelled()
    assert await batcher("e") == "E"


async def test_when_every_caller_is_cancelled_the_next_one_is_served(
    disk: Disk, batcher: Batcher[str]
) -> None:
    for caller in await called(batcher, "a", "b"):
        caller.cancel()
    assert await batcher("c") == "C"


async def test_a_bug_in_the_thread_reaches_every_caller_and_the_next_batch_runs(
    disk: Disk, batcher: Batcher[str]
) -> None:
    outcomes = await asyncio.gather(*map(batcher, ["a", "bug"]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
    assert await batcher("b") == "B"


async def test_closing_waits_for_what_was_asked_for_and_refuses_the_rest(
    disk: Disk, batcher: Batcher[str]
) -> None:
    disk.gate.clear()
    first = await called(batcher, "a")
    await disk.is_busy()
    second = await called(batcher, "b")
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="closed"):
        await batcher("c")
    assert not closing.done()
    disk.gate.set()
    await closing
    assert [caller.result() for caller in (*first, *second)] == ["A", "B"]
