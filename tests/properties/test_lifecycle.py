"""Tasks under every order of submissions, cancellations, runs, failures, retries, pauses, approvals, callers
that leave, sweeps, crashes and restarts.

After each step the engine, the store and the subscribers are compared with a simple model.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import anyio
import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)
from structlog.testing import capture_logs

from gencode.domain.callback import Callback
from gencode.domain.errors import (
    AlreadyFinished,
    IdempotencyKeyReused,
    NotPaused,
    OutcomeUnknown,
    QueueFull,
    StillWorking,
    StoreError,
)
from gencode.domain.event import Event, encode
from gencode.domain.task import UNFINISHED, State, Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.pipeline import Emit, Pause, Pipeline, Stage, StageUpdate
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery
from gencode.engine.service import TaskService
from gencode.hub.in_process import CLOSING_MESSAGE, InProcessHub
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.storage.memory import MemoryStore
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.engine.rig import FOUR, NoAccess, new_task

CONCURRENCY, WAITING, MAX_ATTEMPTS = 2, 4, 3
QUIET = 30
"""Turns of the loop; the longest way from one call of the store to the next takes a few."""
KEYS = st.sampled_from(["", "", "k1", "k2"])
FAILURES = st.tuples(st.sampled_from([0, 0, 0, 1, 2, 3]), st.sampled_from(["refused", "stored", "lost"]))
"""How many of the next writes fail, and what becomes of them; whoever can wait tries again."""
LEAVING = st.sampled_from([None, None, None, 0, 1, 2, 3, 5])
"""After so many turns of the loop the caller is cancelled natively; None: it waits for the answer."""
STATUSES = ["pending", *FOUR, "completed"]
T = TypeVar("T")
Word = tuple[str, str]
"""The artifact: a task's id, and the letters that its stages have made."""
VERDICTS = ("well", "badly", "paused", "expired")
"""How a stage may end; the last two wait for a decision, and nobody decides in time for the last."""


class Verdicts:
    """Where stages wait for the test to say how they end, by task."""

    def __init__(self) -> None:
        self.awaited: dict[str, asyncio.Future[str]] = {}

    async def of(self, task_id: str) -> Pause | None:
        assert task_id not in self.awaited, "two runs of one task at once"
        future = self.awaited[task_id] = asyncio.get_running_loop().create_future()
        try:
            verdict = await future
        finally:
            del self.awaited[task_id]
        if verdict == "badly":
            raise NoAccess("the test said no")
        return None if verdict == "well" else Pause(message="may I?", seconds=3600 * (verdict == "paused"))


class Spelling:
    """Stages that add a letter each, as the test decides."""

    def __init__(self, verdicts: Verdicts) -> None:
        self.stages = [self._stage(name, letter, verdicts) for name, letter in FOUR.items()]

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Mapping[str, str]) -> Word:
        assert request == {"prompt": "a word"}
        return task.id, "".join(checkpoints)

    def final_updates(self, task: Task, checkpoints: Mapping[str, str]) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return status

    @staticmethod
    def _stage(name: str, letter: str, verdicts: Verdicts) -> Stage:
        async def run(word: Word, emit: Emit) -> Word | Pause:
            task_id, letters = word
            if letter in letters:
                return word
            if pause := await verdicts.of(task_id):
                return pause
            await emit(StageUpdate(kind="letter", data={"letter": letter}, checkpoints={letter: ""}))
            return task_id, letters + letter

        return Stage(name=name, run=run)


class MortalStore:
    """A process's access to its store.

    dead      after a crash
    failures  writes that fail from now on, and their `outcome`
    A write goes on when its caller is cancelled.
    """

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.dead = False
        self.failures, self.outcome = 0, "refused"
        self.busy = 0
        self.calls = 0

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        return await self._write(lambda: self._inner.create(task, request, events, key, callback))

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        await self._write(lambda: self._inner.commit(task, events, checkpoints))

    async def find(self, query: TaskQuery) -> list[Task]:
        return await self._call(self._inner.find(query))

    async def count(self, query: TaskQuery) -> int:
        return await self.inner.count(query)

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        return await self._call(self._inner.find_by_key(key))

    async def request(self, task_id: str) -> dict[str, Any]:
        return await self._call(self._inner.request(task_id))

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        return await self._call(self._inner.events(task_id, after))

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        return await self._call(self._inner.event_page(task_id, after))

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        return await self._call(self._inner.checkpoints(task_id))

    async def check_writable(self) -> None:
        await self._write(self._inner.check_writable)

    async def _write(self, write: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await asyncio.shield(asyncio.ensure_future(self._checked(write)))

    async def _checked(self, write: Callable[[], Coroutine[Any, Any, T]]) -> T:
        fails, self.failures = self.failures > 0, max(self.failures - 1, 0)
        outcome = self.outcome
        if fails and outcome == "refused":
            raise StoreError("the disk is full")
        if not (fails and outcome == "lost"):
            result = await self._call(write())
        if fails:
            raise OutcomeUnknown("the disk did not confirm")
        return result

    async def _call(self, call: Coroutine[Any, Any, T]) -> T:
        if self.dead:
            call.close()
            raise StoreError("this process is dead")
        self.busy += 1
        self.calls += 1
        try:
            return await call
        finally:
            self.busy -= 1


class Subscriber:
    """What it received since the event `after`."""

    def __init__(self, hub: InProcessHub, task_id: str, after: int) -> None:
        self.task_id = task_id
        self.after = after
        self.received = b""
        self.reading = asyncio.get_running_loop().create_task(self._read(hub))

    async def _read(self, hub: InProcessHub) -> None:
        async for chunk in hub.subscribe(self.task_id, self.after):
            self.received += chunk

    async def leave(self) -> None:
        self.reading.cancel()
        await asyncio.wait([self.reading])


class Process:
    """One lifetime of the service over a store."""

    def __init__(self, store: Store, verdicts: Verdicts) -> None:
        self.store = MortalStore(store)
        self.hub = InProcessHub(self.store)
        self.metrics = Metrics()
        pipelines: dict[str, Pipeline] = {"letters": Spelling(verdicts)}
        executor = TaskExecutor(self.store, pipelines, self.metrics, timeout=3600, max_attempts=MAX_ATTEMPTS)
        self.service = TaskService(
            executor,
            self.store,
            self.hub,
            FairQueue(WAITING),
            self.metrics,
            CONCURRENCY,
            sleep=lambda _: anyio.sleep(0),
        )
        self.subscribers: list[Subscriber] = []
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()

    async def start(self) -> None:
        self._lifetime = asyncio.get_running_loop().create_task(self._live())
        await self._ready.wait()

    async def crash(self) -> None:
        """Nothing is written any more, and every subscriber is cut off."""
        self.store.dead = True
        for subscriber in self.subscribers:
            await subscriber.leave()
        self._stop.set()
        await self._lifetime

    async def stop(self) -> None:
        self.store.failures = 0
        self.service.stop_accepting()
        self.hub.close()
        self._stop.set()
        await self._lifetime
        for subscriber in self.subscribers:
            await subscriber.reading

    async def settle(self) -> None:
        """Until nothing has moved for many turns of the loop. (anyio's way to wait for that sleeps 0.1 s.)"""
        quiet, seen = 0, self._traces()
        while quiet < QUIET:
            await asyncio.sleep(0.0005 if self.store.busy else 0)
            quiet = 0 if self.store.busy or self._traces() != seen else quiet + 1
            seen = self._traces()

    def _traces(self) -> tuple[int, ...]:
        received = sum(len(subscriber.received) for subscriber in self.subscribers)
        return (
            self.store.calls,
            self.store.failures,
            self.service.running,
            self.service.waiting,
            received,
        )

    async def _live(self) -> None:
        async with anyio.create_task_group() as group:
            await group.start(self.service.run)
            self._ready.set()
            await self._stop.wait()
            group.cancel_scope.cancel()


class Lifecycle(RuleBasedStateMachine):
    tasks = Bundle("tasks")
    subscribers = Bundle("subscribers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.stack.enter_context(capture_logs())  # rendering hundreds of tracebacks takes most of the time
        self.verdicts = Verdicts()
        self.keys: dict[str, str] = {}
        self.crashes: Counter[str] = Counter()
        self.logs: dict[str, list[Event]] = {}
        self.possible: set[str] = set()
        """Tasks of submissions without an answer: they may be stored."""
        self.gone: list[tuple[Subscriber, list[Event]]] = []
        self.loop.run(self.begin())

    async def open(self) -> Store:
        return MemoryStore()

    async def begin(self) -> None:
        self.store = await self.open()
        self.process = Process(self.store, self.verdicts)
        await self.process.start()

    def teardown(self) -> None:
        self.loop.run(self.end())
        self.loop.close()

    async def end(self) -> None:
        await self.process.settle()
        await self.process.stop()
        await self.stack.aclose()

    # --- what may happen ----------------------------------------------------------------------------

    @rule(
        target=tasks,
        orders=st.lists(st.tuples(st.sampled_from("abc"), KEYS), min_size=1, max_size=4),
        failures=FAILURES,
        leave=LEAVING,
    )
    def submit(
        self, orders: list[tuple[str, str]], failures: tuple[int, str], leave: int | None
    ) -> MultipleResults[str]:
        """Several at once."""
        self._fail(failures)
        return multiple(*[task for task in self.loop.run(self._submit(orders, leave)) if task])

    @rule(key=st.sampled_from(["k1", "k2"]))
    def submit_another_body(self, key: str) -> None:
        if f"a{key}" not in self.keys:
            return
        asked = IdempotencyKey(principal="a", value=key, digest="another")
        try:
            self.loop.run(self.process.service.submit(new_task(), {"prompt": "a word"}, asked))
        except (IdempotencyKeyReused, QueueFull, StoreError):
            return
        raise AssertionError("a key was taken for another body")

    @rule(
        task=tasks,
        failures=FAILURES,
        turns=st.sampled_from([0, 0, 1, 2, 3, 5, 8]),
        race=st.booleans(),
        leave=LEAVING,
    )
    def cancel(self, task: str, failures: tuple[int, str], turns: int, race: bool, leave: int | None) -> None:
        """`race`: while its stage, or another's, comes to its end, some turns of the loop before."""
        self._fail(failures)
        self.loop.run(self._race(task, turns) if race else self._cancel(task, leave))

    @rule(task=tasks, failures=FAILURES, leave=LEAVING)
    def retry(self, task: str, failures: tuple[int, str], leave: int | None) -> None:
        self._fail(failures)
        self.loop.run(self._retry(task, leave))

    @precondition(lambda self: self.verdicts.awaited)
    @rule(choice=st.integers(0, 9), verdict=st.sampled_from(["well", "well", *VERDICTS]), failures=FAILURES)
    def work(self, choice: int, verdict: str, failures: tuple[int, str]) -> None:
        self._fail(failures)
        self.loop.run(self._work(self._chosen(choice), verdict))

    @precondition(lambda self: self.verdicts.awaited)
    @rule(choice=st.integers(0, 9), count=st.integers(1, 4))
    def work_on(self, choice: int, count: int) -> None:
        """Several stages of one task, so that some tasks come to their end."""
        task = self._chosen(choice)
        for _ in range(count):
            if task in self.verdicts.awaited:
                self.loop.run(self._work(task, "well"))

    @rule(task=tasks, failures=FAILURES, clicks=st.integers(1, 3), leave=LEAVING)
    def approve(self, task: str, failures: tuple[int, str], clicks: int, leave: int | None) -> None:
        self._fail(failures)
        self.loop.run(self._approve(task, clicks, leave))

    @rule(task=tasks, failures=FAILURES)
    def amend(self, task: str, failures: tuple[int, str]) -> None:
        self._fail(failures)
        self.loop.run(self._amend(task))

    @rule(count=st.integers(1, 3))
    def sweep(self, count: int) -> None:
        """Several at once, in the middle of whatever goes on; nothing is left for them to find."""
        self.loop.run(self._sweep(count))

    @precondition(lambda self: self.verdicts.awaited or self.process.service.paused)
    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        self.loop.run(self._restart(orderly))

    @rule(target=subscribers, task=tasks, after=st.integers(0, 12))
    def subscribe(self, task: str, after: int) -> Subscriber:
        return self.loop.run(self._subscribe(task, min(after, len(self.logs[task]))))

    @rule(subscriber=consumes(subscribers))
    def unsubscribe(self, subscriber: Subscriber) -> None:
        if subscriber in self.process.subscribers:
            self.loop.run(self._unsubscribe(subscriber))

    # --- how it happens -----------------------------------------------------------------------------

    def _fail(self, failures: tuple[int, str]) -> None:
        self.process.store.failures, self.process.store.outcome = failures

    def _chosen(self, choice: int) -> str:
        return sorted(self.verdicts.awaited)[choice % len(self.verdicts.awaited)]

    async def _asked(self, operation: Awaitable[T], leave: int | None) -> T:
        """The answer; CancelledError for a caller that left before it came."""
        caller = asyncio.ensure_future(operation)
        if leave is not None:
            for _ in range(leave):
                await asyncio.sleep(0)
            caller.cancel()
        await asyncio.wait([caller])
        return caller.result()

    async def _submit(self, orders: list[tuple[str, str]], leave: int | None) -> list[str | None]:
        found = await asyncio.gather(*[self._submit_one(principal, key, leave) for principal, key in orders])
        await self.process.settle()
        await self.process.service._recovery.sweep()  # a creation may be stored after the requested sweep
        await self._check()
        return [task_id if task_id in self.logs else None for task_id in found]

    async def _submit_one(self, principal: str, key: str, leave: int | None) -> str | None:
        asked = IdempotencyKey(principal=principal, value=key, digest="d") if key else None
        new = new_task(principal=principal)
        self.possible.add(new.id)
        try:
            task = await self._asked(self.process.service.submit(new, {"prompt": "a word"}, asked), leave)
        except (OutcomeUnknown, asyncio.CancelledError):
            return new.id
        except (StoreError, QueueFull):
            self.possible.discard(new.id)
            return None
        if key:
            assert self.keys.setdefault(principal + key, task.id) == task.id
        self.logs.setdefault(task.id, [])
        return task.id

    async def _race(self, task_id: str, turns: int) -> None:
        """The outcome is either's; what must hold is looked at afterwards."""
        chosen = task_id if task_id in self.verdicts.awaited else min(self.verdicts.awaited, default="")
        if chosen:
            self.verdicts.awaited[chosen].set_result("well")
            self.crashes[chosen] = 0
        for _ in range(turns):
            await asyncio.sleep(0)
        with suppress(AlreadyFinished, StoreError):
            await self.process.service.cancel(await self._find(task_id))

    async def _cancel(self, task_id: str, leave: int | None) -> None:
        before = await self._find(task_id)
        try:
            after = await self._asked(self.process.service.cancel(before), leave)
            assert after.state is State.CANCELLED
            assert before.state is State.CANCELLED or not before.state.is_terminal
        except AlreadyFinished:
            assert before.state in (State.SUCCEEDED, State.FAILED)
        except StoreError:
            assert not (await self._find(task_id)).state.is_terminal
        except asyncio.CancelledError:
            return

    async def _retry(self, task_id: str, leave: int | None) -> None:
        before = await self._find(task_id)
        ended = [one for one in self.process.subscribers if one.reading.done() and one.task_id == task_id]
        try:
            after = await self._asked(self.process.service.retry(before), leave)
            assert before.failure
            assert (after.state, after.stage) == (State.QUEUED, before.failure.stage)
        except (AlreadyFinished, StillWorking):
            assert before.state is not State.FAILED
        except (StoreError, QueueFull, asyncio.CancelledError):
            pass
        await self.process.settle()
        if (await self._find(task_id)).retries == before.retries:
            return
        self.crashes[task_id] = 0
        for subscriber in ended:  # its stream ended before the retry
            self.process.subscribers.remove(subscriber)
            self.gone.append((subscriber, self.logs[task_id][subscriber.after :]))

    async def _approve(self, task_id: str, clicks: int, leave: int | None) -> None:
        before = await self._find(task_id)
        asked = [
            self._asked(self.process.service.approve(before, lambda checkpoints: StageUpdate()), leave)
            for _ in range(clicks)
        ]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, NotPaused | AlreadyFinished):
                assert before.state is not State.PAUSED
            elif not isinstance(answer, StoreError | QueueFull | asyncio.CancelledError):
                assert isinstance(answer, Task), answer
                assert before.state is State.PAUSED
                assert answer.state is not State.PAUSED

    async def _amend(self, task_id: str) -> None:
        before = await self._find(task_id)
        try:
            after = await self.process.service.amend(before, lambda checkpoints: StageUpdate(kind="amended"))
            assert after.paused_until == before.paused_until is not None
        except (NotPaused, AlreadyFinished):
            assert before.state is not State.PAUSED
        except StoreError:
            assert before.state is State.PAUSED

    async def _sweep(self, count: int) -> None:
        found = await asyncio.gather(*[self.process.service._recovery.sweep() for _ in range(count)])
        assert found == [0] * count, "a task was orphaned, or taken up twice"

    async def _work(self, task_id: str, verdict: str) -> None:
        self.verdicts.awaited[task_id].set_result(verdict)
        self.crashes[task_id] = 0
        await self._check()

    async def _restart(self, orderly: bool) -> None:
        await self._check()
        for task_id in self.verdicts.awaited:
            self.crashes[task_id] = 0 if orderly else self.crashes[task_id] + 1
        await (self.process.stop() if orderly else self.process.crash())
        assert not self.verdicts.awaited
        self.gone += [(one, self.logs[one.task_id][one.after :]) for one in self.process.subscribers]
        self.process = Process(self.store, self.verdicts)
        await self.process.start()

    async def _subscribe(self, task_id: str, after: int) -> Subscriber:
        subscriber = Subscriber(self.process.hub, task_id, after)
        self.process.subscribers.append(subscriber)
        return subscriber

    async def _unsubscribe(self, subscriber: Subscriber) -> None:
        await self._check()
        await subscriber.leave()
        self.process.subscribers.remove(subscriber)
        self.gone.append((subscriber, self.logs[subscriber.task_id][subscriber.after :]))

    async def _find(self, task_id: str) -> Task:
        (task,) = await self.store.find(TaskQuery(id=task_id))
        return task

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def check(self) -> None:
        self.loop.run(self._check())

    async def _check(self) -> None:
        await self.process.settle()
        found = {task.id: task for task in await self.store.find(TaskQuery(limit=1000))}
        for task_id in found.keys() & self.possible:
            self.logs.setdefault(task_id, [])
        assert found.keys() == self.logs.keys(), "a task that was accepted is gone, or one is there unasked"
        for task in found.values():
            await self._check_log(task)
            await self._check_checkpoints(task)
        self._check_places([task for task in found.values() if not task.is_idle])
        paused = [task for task in found.values() if task.state is State.PAUSED]
        assert self.process.service.paused == len(paused)
        assert not any(task.attempts for task in paused)
        self._check_subscribers()

    async def _check_log(self, task: Task) -> None:
        log = await self.store.events(task.id)
        assert [event.id for event in log] == list(range(1, task.sequence + 1))
        assert log[: len(self.logs[task.id])] == self.logs[task.id], "history was rewritten"
        self.logs[task.id] = log
        statuses = [str(event.data["status"]) for event in log if event.kind == "status"]
        assert statuses[-1] == task.status
        for place, (before, after) in enumerate(pairwise(statuses), start=1):
            assert may_follow(before, after, statuses[place - 2] if before == "failed" else None), (
                "a status was skipped, or published twice, or after the end"
            )
        assert paused_by(log) == (task.state is State.PAUSED)
        assert (task.state in UNFINISHED) == (statuses[-1] not in ("completed", "failed", "cancelled"))
        if task.failure:
            assert log[-1].kind == "error"
            assert task.failure.code in ("NO_ACCESS", "CRASH_LOOP", "APPROVAL_EXPIRED")
            assert (task.failure.code == "CRASH_LOOP") == (self.crashes[task.id] >= MAX_ATTEMPTS)

    async def _check_checkpoints(self, task: Task) -> None:
        checkpoints = await self.store.checkpoints(task.id)
        assert "wxyz".startswith("".join(checkpoints))
        events = [event.data["letter"] for event in self.logs[task.id] if event.kind == "letter"]
        assert events == list(checkpoints), "a checkpoint was made twice, or lost"
        assert task.state is not State.SUCCEEDED or "".join(checkpoints) == "wxyz"

    def _check_places(self, unfinished: list[Task]) -> None:
        """No place is lost and no task forgotten: as many run as can."""
        assert len(self.verdicts.awaited) == min(CONCURRENCY, len(unfinished))
        assert self.process.service.running == len(self.verdicts.awaited)
        assert self.process.service.waiting == len(unfinished) - self.process.service.running
        assert set(self.verdicts.awaited) <= {task.id for task in unfinished}

    def _check_subscribers(self) -> None:
        for subscriber in self.process.subscribers:
            assert subscriber.received == encoded(self.logs[subscriber.task_id][subscriber.after :])
        for subscriber, events in self.gone:
            assert subscriber.received.removesuffix(CLOSING_MESSAGE) == encoded(events)


def may_follow(before: str, after: str, failed_in: str | None) -> bool:
    """The next status, or the end from anywhere but the end; from `failed` back to where it failed."""
    if before == "failed":
        return after == failed_in
    if before in ("completed", "cancelled"):
        return False
    return after in ("failed", "cancelled") or STATUSES.index(after) == STATUSES.index(before) + 1


def paused_by(log: Sequence[Event]) -> bool:
    """Whether the task is paused by the end of its log; nothing else happens while it is."""
    paused = False
    for event in log:
        assert paused == (event.kind in ("approved", "amended")) or event.kind == "status"
        paused = event.kind in ("approval", "amended")
    return paused


def encoded(events: Sequence[Event]) -> bytes:
    return b"".join(encode(event) for event in events)


class LifecycleOnDisk(Lifecycle):
    async def open(self) -> Store:
        folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, folder)
        return await self.stack.enter_async_context(open_sqlite(folder / "gencode.db"))


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestLifecycleOnDisk = LifecycleOnDisk.TestCase
TestLifecycleOnDisk.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
