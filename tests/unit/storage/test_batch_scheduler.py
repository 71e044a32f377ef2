from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.storage.batch_scheduler import BatchScheduler, Outcome, ThreadScheduler

DiskBatcher = ThreadScheduler[str, str]


class Disk:
    """Records each batch and, while `gate` is clear, blocks in it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def write(self, operations: Sequence[str]) -> list[Outcome]:
        self.batches.append(list(operations))
        self.entered.release()
        assert self.gate.wait(30)
        if "bug" in operations:
            raise RuntimeError("a bug")
        return [Outcome(value=operation.upper()) for operation in operations]

    def read(self, operation: str) -> Outcome:
        return self.write([f"read {operation}"])[0]

    async def is_busy(self) -> None:
        await asyncio.to_thread(self.entered.acquire)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def scheduler(disk: Disk) -> AsyncIterator[DiskBatcher]:
    with ThreadPoolExecutor(max_workers=1) as thread:
        scheduler: DiskBatcher = ThreadScheduler(disk.write, disk.read, thread, limit=5)
        yield scheduler
        disk.gate.set()
        await scheduler.close()


async def called(scheduler: DiskBatcher, *operations: str) -> list[asyncio.Task[str]]:
    """Callers that wait now; "read x" is a read."""
    callers = [
        asyncio.create_task(scheduler.read(name[5:]) if name.startswith("read ") else scheduler.write(name))
        for name in operations
    ]
    await asyncio.sleep(0)
    return callers


async def test_writes_that_are_ready_at_once_make_one_batch(disk: Disk, scheduler: DiskBatcher) -> None:
    assert await asyncio.gather(*map(scheduler.write, "abc")) == ["A", "B", "C"]
    assert disk.batches == [["a", "b", "c"]]


async def test_writes_that_come_during_a_turn_make_the_next_batch(disk: Disk, scheduler: DiskBatcher) -> None:
    disk.gate.clear()
    first = await called(scheduler, "a")
    await disk.is_busy()
    rest = await called(scheduler, "b", "c", "d")
    disk.gate.set()
    assert await asyncio.gather(*first, *rest) == ["A", "B", "C", "D"]
    assert disk.batches == [["a"], ["b", "c", "d"]]


async def test_more_writes_than_fit_in_a_batch_keep_their_order(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, scheduler: DiskBatcher
) -> None:
    monkeypatch.setattr("gencode.storage.batch_scheduler.MAX_BATCH", 2)
    assert await asyncio.gather(*map(scheduler.write, "abcde")) == ["A", "B", "C", "D", "E"]
    assert disk.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_write_waits_for_one_slice_of_reads_only(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, scheduler: DiskBatcher
) -> None:
    monkeypatch.setattr("gencode.storage.batch_scheduler.READ_SLICE", 0.0)  # shorter than any read
    disk.gate.clear()
    waiting = await called(scheduler, "read 1", "read 2", "read 3")
    await disk.is_busy()
    waiting += await called(scheduler, "a", "b")
    disk.gate.set()
    assert await asyncio.gather(*waiting) == ["READ 1", "READ 2", "READ 3", "A", "B"]
    assert disk.batches == [["read 1"], ["a", "b"], ["read 2"], ["read 3"]]


async def test_short_reads_share_a_turn(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, scheduler: DiskBatcher
) -> None:
    monkeypatch.setattr("gencode.storage.batch_scheduler.READ_SLICE", 60.0)
    disk.gate.clear()
    waiting = await called(scheduler, "a")
    await disk.is_busy()
    waiting += await called(scheduler, "b", "read 1", "read 2", "c")
    disk.gate.set()
    await asyncio.gather(*waiting)
    assert disk.batches == [["a"], ["read 1"], ["read 2"], ["b", "c"]]


async def test_reads_go_on_while_writes_never_end(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, scheduler: DiskBatcher
) -> None:
    monkeypatch.setattr("gencode.storage.batch_scheduler.READ_SLICE", 0.0)
    stop = False

    async def write_for_ever() -> None:
        while not stop:
            await scheduler.write("a")

    writers = [asyncio.create_task(write_for_ever()) for _ in range(2)]
    assert await asyncio.gather(*map(scheduler.read, "123")) == ["READ 1", "READ 2", "READ 3"]
    stop = True
    await asyncio.gather(*writers)


async def test_too_many_waiting_are_refused_and_the_others_served(disk: Disk, scheduler: DiskBatcher) -> None:
    disk.gate.clear()
    first = await called(scheduler, "0")
    await disk.is_busy()
    waiting = await called(scheduler, "1", "2", "3", "read 4", "read 5")
    with pytest.raises(StoreError, match="too much is waiting"):
        await scheduler.write("6")
    with pytest.raises(StoreError, match="too much is waiting"):
        await scheduler.read("6")
    disk.gate.set()
    assert await asyncio.gather(*first, *waiting) == ["0", "1", "2", "3", "READ 4", "READ 5"]


async def test_a_cancelled_caller_leaves_its_write_in_the_batch(disk: Disk, scheduler: DiskBatcher) -> None:
    disk.gate.clear()
    outstanding = await called(scheduler, "a", "b")
    await disk.is_busy()
    waiting = await called(scheduler, "c", "d")
    for caller in (outstanding[0], waiting[0]):
        caller.cancel()
    disk.gate.set()
    assert [await outstanding[1], await waiting[1]] == ["B", "D"]
    assert disk.batches == [["a", "b"], ["c", "d"]]
    assert outstanding[0].cancelled()
    assert waiting[0].cancelled()
    assert await scheduler.write("e") == "E"


async def test_when_every_caller_is_cancelled_the_next_one_is_served(
    scheduler: DiskBatcher,
) -> None:
    for caller in await called(scheduler, "a", "read b"):
        caller.cancel()
    assert await scheduler.write("c") == "C"
    assert await scheduler.read("c") == "READ C"


async def test_after_a_bug_in_the_thread_the_outcome_of_every_write_is_unknown(
    disk: Disk, scheduler: DiskBatcher
) -> None:
    outcomes = await asyncio.gather(scheduler.write("a"), scheduler.write("bug"), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {OutcomeUnknown}
    assert await scheduler.write("b") == "B"


async def test_a_bug_in_a_read_reaches_its_caller(disk: Disk, scheduler: DiskBatcher) -> None:
    disk.read = lambda operation: 1 / 0  # type: ignore[assignment, return-value]
    scheduler._run_read = disk.read
    with pytest.raises(StoreError, match="the storage failed") as caught:
        await scheduler.read("a")
    assert type(caught.value) is StoreError
    assert await scheduler.write("b") == "B"


async def test_closing_waits_for_what_was_called_and_refuses_the_rest(
    disk: Disk, scheduler: DiskBatcher
) -> None:
    disk.gate.clear()
    first = await called(scheduler, "a")
    await disk.is_busy()
    second = await called(scheduler, "b", "read c")
    closing = asyncio.create_task(scheduler.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="closed"):
        await scheduler.write("c")
    with pytest.raises(StoreError, match="closed"):
        await scheduler.read("c")
    assert not closing.done()
    disk.gate.set()
    await closing
    assert [caller.result() for caller in (*first, *second)] == ["A", "B", "READ C"]


# --- batches that are coroutines, several at the same time -------------------------------------------


class Pool:
    """Each batch waits until it is released; `running` are the operations of the batches that run."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    def start(self, operations: Sequence[str]) -> asyncio.Future[list[Outcome]]:
        return asyncio.get_running_loop().create_task(self._run(operations))

    async def _run(self, operations: Sequence[str]) -> list[Outcome]:
        self.running += operations
        await self.gates.setdefault(operations[0], asyncio.Event()).wait()
        self.running = [name for name in self.running if name not in operations]
        if "bug" in operations:
            raise RuntimeError("a bug")
        return [Outcome(value=name.upper()) for name in operations]

    async def let_go(self, *operations: str) -> None:
        await settled()
        for name in operations:
            self.gates.setdefault(name, asyncio.Event()).set()
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_as_many_turns_as_allowed_run_at_the_same_time() -> None:
    pool = Pool()
    scheduler = BatchScheduler(pool.start, 100, StoreError, concurrency=2, size=1)
    callers = [asyncio.create_task(scheduler.call(name)) for name in "abcd"]
    await settled()
    assert pool.running == ["a", "b"]
    await pool.let_go("b")
    assert pool.running == ["a", "c"]
    await pool.let_go("a", "c", "d")
    assert [await caller for caller in callers] == ["A", "B", "C", "D"]
    again = asyncio.create_task(scheduler.call("d"))
    assert await again == "D"
    await scheduler.close()


async def test_closing_waits_for_all_turns_that_run() -> None:
    pool = Pool()
    scheduler = BatchScheduler(pool.start, 100, StoreError, concurrency=2, size=1)
    callers = [asyncio.create_task(scheduler.call(name)) for name in "abc"]
    await settled()
    callers[0].cancel()
    closing = asyncio.create_task(scheduler.close())
    for name in "bca":
        assert not closing.done()
        await pool.let_go(name)
    await closing
    assert [caller.done() for caller in callers] == [True] * 3


async def test_a_turn_that_fails_or_is_cancelled_reaches_its_callers_only() -> None:
    pool, batches = Pool(), list[asyncio.Future[list[Outcome]]]()

    def start(operations: Sequence[str]) -> asyncio.Future[list[Outcome]]:
        batches.append(pool.start(operations))
        return batches[-1]

    scheduler = BatchScheduler(start, 100, OutcomeUnknown, concurrency=3, size=1)
    callers = [asyncio.create_task(scheduler.call(name)) for name in ("a", "bug", "b")]
    await settled()
    batches[0].cancel()
    await pool.let_go("bug", "b")
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, OutcomeUnknown, str]
    assert await scheduler.call("b") == "B"
    await scheduler.close()
