"""Shares one connection among all callers. Free of any database.

It works in turns, one at a time. A turn is a batch of all writes that wait: one transaction shares one fsync
among them. Where reads use the same connection, each turn of writes is followed by a short time slice of
reads. So a write waits for at most one slice of reads, and for one read where that takes longer than a slice;
long reads are split into pages by their callers.
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
"""Operations in one turn. While the thread works on one batch, the loop serves the callers of the one before:
with all of 1,000 callers in one batch, each waited for the other (0.57 of what memory does, not 0.69)."""
READ_SLICE = 0.002
"""Seconds after which a turn of reads begins no other one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of one operation: `error`, or else `value`."""

    value: Any = None
    error: Exception | None = None


class _Lane(deque[tuple[Any, "asyncio.Future[Outcome]"]]):
    """Operations that wait, with the futures of their callers."""

    def take(self, limit: int) -> list[tuple[Any, asyncio.Future[Outcome]]]:
        return [self.popleft() for _ in range(min(limit, len(self)))]

    def put_back(self, entries: Sequence[tuple[Any, asyncio.Future[Outcome]]]) -> None:
        self.extendleft(reversed(entries))


Run = Callable[[Sequence[Any]], "asyncio.Future[list[Outcome]]"]
"""Begins a turn with these operations. Its result are the outcomes of the first of them, in their order: of
at least one."""


class Batcher(Generic[Write]):
    """Writes take effect in the order of the calls. At most one turn runs at a time.

    Driven by callbacks, without a coroutine of its own: a caller that is cancelled leaves its write in the
    batch, and nothing else can be cancelled.

    run     begins a turn of writes
    limit   most operations that may wait
    """

    def __init__(self, run: Run, limit: int) -> None:
        self._run_writes = run
        self._limit = limit
        self._writes = _Lane()
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    async def write(self, operation: Write) -> Any:
        """The operation's value. Raises its error; OutcomeUnknown when the turn failed as a whole.

        Raises StoreError when the batcher is closed or too many operations wait.
        """
        return await self._submit(self._writes, operation)

    async def close(self) -> None:
        """Refuse new operations and wait until those that wait are done."""
        self._closed = True
        await self._idle.wait()

    async def _submit(self, lane: _Lane, operation: Any) -> Any:
        if self._closed:
            raise StoreError("the store is closed: the service is stopping, try again when it is back")
        if self._waiting >= self._limit:
            raise StoreError("too much is waiting for the disk: try again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        lane.append((operation, future))
        self._waiting += 1
        if self._idle.is_set():
            self._idle.clear()
            loop.call_soon(self._next_turn)  # after all callers that are ready now
        outcome = await future
        if outcome.error:
            raise outcome.error
        return outcome.value

    def _next_turn(self) -> None:
        if self._writes:
            self._start(self._run_writes, self._writes, OutcomeUnknown)
        else:
            self._idle.set()

    def _start(self, run: Run, lane: _Lane, failure: type[StoreError]) -> None:
        entries = lane.take(MAX_BATCH)
        self._waiting -= len(entries)
        turn = run([operation for operation, _ in entries])
        turn.add_done_callback(partial(self._finish, lane, entries, failure))

    def _finish(
        self,
        lane: _Lane,
        entries: Sequence[tuple[Any, asyncio.Future[Outcome]]],
        failure: type[StoreError],
        turn: asyncio.Future[list[Outcome]],
    ) -> None:
        outcomes = _outcomes(turn, len(entries), failure)
        left = entries[len(outcomes) :]
        lane.put_back(left)
        self._waiting += len(left)
        for (_, future), outcome in zip(entries, outcomes, strict=False):
            if not future.done():  # its caller was cancelled
                future.set_result(outcome)
        self._next_turn()


class ThreadBatcher(Batcher[Write], Generic[Write, Read]):
    """Reads and writes take turns in one thread.

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
        super().__init__(partial(_in_thread, thread, write), limit)
        self._run_reads = partial(_in_thread, thread, self._read_slice)
        self._run_read = read
        self._reads = _Lane()
        self._wrote_last = False

    async def read(self, operation: Read) -> Any:
        """The operation's value. Raises its error; StoreError as `write` does, or when the turn failed."""
        return await self._submit(self._reads, operation)

    def _next_turn(self) -> None:
        if self._reads and (self._wrote_last or not self._writes):
            self._wrote_last = False
            self._start(self._run_reads, self._reads, StoreError)
        else:
            self._wrote_last = self._wrote_last or bool(self._writes)
            super()._next_turn()

    def _read_slice(self, reads: Sequence[Read]) -> list[Outcome]:
        """In the thread: at least one read; the outcomes of those that were run."""
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


def _outcomes(turn: asyncio.Future[list[Outcome]], count: int, failure: type[StoreError]) -> list[Outcome]:
    """A bug reaches every caller: one that waits for ever would be worse."""
    if turn.cancelled():
        return [Outcome(error=failure("the storage was interrupted")) for _ in range(count)]
    if error := turn.exception():
        return [Outcome(error=failure(f"the storage failed: {error!r}")) for _ in range(count)]
    return turn.result()
