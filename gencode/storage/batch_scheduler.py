"""Runs the operations of many callers in batches over few connections. Independent of the database.

All waiting writes are one batch: one transaction, one fsync (group commit). Where reads use the same
connection, each batch of writes is followed by a short time slice of reads. So a write waits for at most one
slice of reads, or for one read that takes longer than a slice; callers split long reads into pages.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Generic, TypeVar

from gencode.domain.errors import OutcomeUnknown, StoreError

Write = TypeVar("Write")
Read = TypeVar("Read")

MAX_BATCH = 256
"""Operations in one batch. While the thread works on one batch, the loop serves the callers of the one
before: with all 1,000 callers in one batch, thread and event loop alternated (0.57 of the throughput of the
memory store, in place of 0.69)."""
READ_SLICE = 0.002
"""Seconds after which a batch of reads starts no further read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of one operation: `error`, or else `value`."""

    value: Any = None
    error: Exception | None = None


Run = Callable[[Sequence[Any]], "asyncio.Future[list[Outcome]]"]
"""Starts a batch with these operations. The result has the outcomes of the first of them, in their order: of
at least one."""


class _WaitingOperations(deque[tuple[Any, "asyncio.Future[Outcome]"]]):
    """Waiting operations of one kind (read or write), with the futures of their callers."""

    def __init__(self, run: Run, failure: type[StoreError]) -> None:
        super().__init__()
        self.run = run
        self.failure = failure

    def take(self, limit: int) -> list[tuple[Any, asyncio.Future[Outcome]]]:
        return [self.popleft() for _ in range(min(limit, len(self)))]

    def put_back(self, entries: Sequence[tuple[Any, asyncio.Future[Outcome]]]) -> None:
        self.extendleft(reversed(entries))


class BatchScheduler:
    """Operations begin in the order of the calls.

    Uses callbacks and no background task. Cancelling a caller does not cancel its operation.

    run          starts a batch
    limit        most operations that may wait
    failure      raised to the callers of a batch that failed as a whole
    concurrency  most batches that run at the same time
    size         most operations in a batch; None: MAX_BATCH
    """

    def __init__(
        self,
        run: Run,
        limit: int,
        failure: type[StoreError],
        *,
        concurrency: int = 1,
        size: int | None = None,
    ) -> None:
        self._lane = _WaitingOperations(run, failure)
        self._limit = limit
        self._concurrency = concurrency
        self._size = size
        self._waiting = 0
        self._running = 0
        self._is_scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    async def call(self, operation: Any) -> Any:
        """The operation's value. Raises its error, or `failure`.

        Raises StoreError when the scheduler is closed or too many operations wait.
        """
        return await self._submit(self._lane, operation)

    async def close(self) -> None:
        """Refuse new operations and wait until those that wait are done."""
        self._closed = True
        await self._idle.wait()

    async def _submit(self, lane: _WaitingOperations, operation: Any) -> Any:
        if self._closed:
            raise StoreError("the store is closed: the service is stopping, try again when it is back")
        if self._waiting >= self._limit:
            raise StoreError("too much is waiting for the disk: try again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        lane.append((operation, future))
        self._waiting += 1
        if self._running < self._concurrency and not self._is_scheduled:
            self._is_scheduled = True
            self._idle.clear()
            loop.call_soon(self._start_batches)  # after all callers that are ready now
        outcome = await future
        if outcome.error:
            raise outcome.error
        return outcome.value

    def _start_batches(self) -> None:
        self._is_scheduled = False
        while self._waiting and self._running < self._concurrency:
            self._start(self._next_lane())
        if not self._running:
            self._idle.set()

    def _next_lane(self) -> _WaitingOperations:
        """Called while something waits."""
        return self._lane

    def _start(self, lane: _WaitingOperations) -> None:
        entries = lane.take(self._size or MAX_BATCH)
        self._waiting -= len(entries)
        self._running += 1
        batch = lane.run([operation for operation, _ in entries])
        batch.add_done_callback(partial(self._finish, lane, entries))

    def _finish(
        self,
        lane: _WaitingOperations,
        entries: Sequence[tuple[Any, asyncio.Future[Outcome]]],
        batch: asyncio.Future[list[Outcome]],
    ) -> None:
        outcomes = _outcomes(batch, len(entries), lane.failure)
        left = entries[len(outcomes) :]
        lane.put_back(left)
        self._waiting += len(left)
        self._running -= 1
        for (_, future), outcome in zip(entries, outcomes, strict=False):
            if not future.done():  # its caller was cancelled
                future.set_result(outcome)
        self._start_batches()


class ThreadScheduler(BatchScheduler, Generic[Write, Read]):
    """Batches of writes and slices of reads alternate in one thread.

    write    called in the thread with a batch; returns one outcome for each write, in their order
    read     called in the thread for each read; does not raise
    thread   runs one call at a time
    """

    def __init__(
        self,
        write: Callable[[Sequence[Write]], list[Outcome]],
        read: Callable[[Read], Outcome],
        thread: Executor,
        limit: int,
    ) -> None:
        super().__init__(partial(_in_thread, thread, write), limit, OutcomeUnknown)
        self._reads = _WaitingOperations(partial(_in_thread, thread, self._read_slice), StoreError)
        self._run_read = read
        self._wrote_last = False

    async def write(self, operation: Write) -> Any:
        """Like `call`; raises OutcomeUnknown when the thread failed."""
        return await self._submit(self._lane, operation)

    async def read(self, operation: Read) -> Any:
        """Like `call`; raises StoreError when the thread failed."""
        return await self._submit(self._reads, operation)

    def _next_lane(self) -> _WaitingOperations:
        self._wrote_last = not (self._reads and (self._wrote_last or not self._lane))
        return self._lane if self._wrote_last else self._reads

    def _read_slice(self, reads: Sequence[Read]) -> list[Outcome]:
        """Runs at least one read, in the thread; returns the outcomes of those that were run."""
        end = perf_counter() + READ_SLICE
        outcomes = []
        for read in reads:
            outcomes.append(self._run_read(read))
            if perf_counter() >= end:
                break
        return outcomes


def _in_thread(
    thread: Executor, run: Callable[[Sequence[Any]], list[Outcome]], operations: Sequence[Any]
) -> asyncio.Future[list[Outcome]]:
    return asyncio.get_running_loop().run_in_executor(thread, run, operations)


def _outcomes(batch: asyncio.Future[list[Outcome]], count: int, failure: type[StoreError]) -> list[Outcome]:
    """An unexpected exception is raised to every caller, so that none waits forever."""
    if batch.cancelled():
        return [Outcome(error=failure("the storage was interrupted")) for _ in range(count)]
    if error := batch.exception():
        return [Outcome(error=failure(f"the storage failed: {error!r}")) for _ in range(count)]
    return batch.result()
