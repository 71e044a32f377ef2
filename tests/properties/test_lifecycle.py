"""Tasks under every order of submitting, cancelling, working, failing, retrying, being held and approved,
crashing and restarting.

After each step, what the engine, the store and the subscribers say is compared with a simple model.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import anyio
import hypothesis.strategies as st
from gencode.hub.channel_registry import FAREWELL
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
    QueueFull,
    StillWorking,
    StoreError,
)
from gencode.domain.event import Event, encode
from gencode.domain.task import Status, Task, may_follow
from gencode.engine.executor import TaskExecutor
from gencode.engine.pipeline import Emit, Pause, StageUpdate
from gencode.engine.service import TaskService
from gencode.engine.store import IdempotencyKey, Store, TaskQuery
from gencode.hub.in_process import InProcessHub
from gencode.llm.errors import LLMAuth
from gencode.observability.metrics import Metrics
from gencode.storage.memory import MemoryStore
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.engine.rig import STATUSES, new_task

CONCURRENCY, WAITING, MAX_ATTEMPTS = 2, 4, 3
QUIET = 30
"""Turns of the loop; the longest way from one call of the store to the next takes a few."""
KEYS = st.sampled_from(["", "", "k1", "k2"])
REFUSALS = st.sampled_from([0, 0, 0, 1, 2, 3])
"""Writes that are refused from now on; whoever can wait tries again."""
T = TypeVar("T")
Word = tuple[str, str]
"""The artifact: a task's id, and the letters that its stages have made."""


VERDICTS = ("well", "badly", "held", "expired")
"""How a stage may end; the last two ask for a person's word, and nobody has one for the last."""


class Desk:
    """Where stages wait for the test to say how they end; and what they made, by task and letter."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[str]] = {}
        self.made: Counter[tuple[str, str]] = Counter()

    async def verdict(self, task_id: str) -> Pause | None:
        future = self.waiting[task_id] = asyncio.get_running_loop().create_future()
        try:
            word = await future
        finally:
            del self.waiting[task_id]
        if word == "badly":
            raise LLMAuth("the test said no")
        return None if word == "well" else Pause(message="may I?", seconds=3600 * (word == "held"))


class Step:
    def __init__(self, status: Status, letter: str, scheduler: Desk) -> None:
        self.status = status
        self._letter = letter
        self._desk = scheduler

    async def __call__(self, word: Word, send: Emit) -> Word | Pause:
        task_id, letters = word
        if self._letter in letters:
            return word
        if hold := await self._desk.verdict(task_id):
            return hold
        await send(StageUpdate(kind="letter", data={"letter": self._letter}, keep={self._letter: ""}))
        self._desk.made[task_id, self._letter] += 1
        return task_id, letters + self._letter


class Spelling:
    kind = "letters"

    def __init__(self, scheduler: Desk) -> None:
        self.stages = [
            Step(status, letter, scheduler) for status, letter in zip(STATUSES, "wxyz", strict=True)
        ]

    def restore(self, task: Task, checkpoints: Mapping[str, str]) -> Word:
        return task.id, "".join(checkpoints)

    def message(self, task: Task, status: Status) -> str:
        return status


class Mortal:
    """A process's hold on its store: `dead` after a crash, `refusals` writes still to be refused."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.dead = False
        self.refusals = 0
        self.busy = 0
        self.calls = 0

    async def create(
        self,
        task: Task,
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        self._refuse()
        return await self._call(self._inner.create(task, events, key, callback))

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        self._refuse()
        await self._call(self._inner.commit(task, events, keep))

    async def named(self, key: IdempotencyKey) -> Task | None:
        return await self._call(self._inner.named(key))

    async def find(self, query: TaskQuery) -> list[Task]:
        return await self._call(self._inner.find(query))

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        return await self._call(self._inner.events(task_id, after))

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        return await self._call(self._inner.checkpoints(task_id))

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full")

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


class Reader:
    """A subscriber: what it was sent since the event `after`."""

    def __init__(self, hub: InProcessHub, task_id: str, after: int) -> None:
        self.task_id = task_id
        self.after = after
        self.received = b""
        self.job = asyncio.get_running_loop().create_task(self._read(hub))

    async def _read(self, hub: InProcessHub) -> None:
        async for chunk in hub.subscribe(self.task_id, self.after):
            self.received += chunk

    async def leave(self) -> None:
        self.job.cancel()
        await asyncio.wait([self.job])


class Process:
    """One life of the service over a store."""

    def __init__(self, store: Store, scheduler: Desk) -> None:
        self.store = Mortal(store)
        self.hub = InProcessHub(self.store)
        metrics = Metrics()
        runner = TaskExecutor(
            self.store, [Spelling(scheduler)], metrics, timeout=3600, max_attempts=MAX_ATTEMPTS
        )
        self.task_service = TaskService(
            runner, self.store, self.hub, metrics, CONCURRENCY, WAITING, sleep=lambda _: anyio.sleep(0)
        )
        self.readers: list[Reader] = []
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()

    async def start(self) -> None:
        self._life = asyncio.get_running_loop().create_task(self._live())
        await self._ready.wait()

    async def crash(self) -> None:
        """Nothing is written any more, and every reader is cut off."""
        self.store.dead = True
        for reader in self.readers:
            await reader.leave()
        self._stop.set()
        await self._life

    async def stop(self) -> None:
        self.store.refusals = 0
        self.task_service.stop_accepting()
        self.hub.close()
        self._stop.set()
        await self._life
        for reader in self.readers:
            await reader.job

    async def reconcile(self) -> None:
        """Until nothing has moved for many turns of the loop. (anyio's way to wait for that sleeps 0.1 s.)"""
        quiet, seen = 0, self._traces()
        while quiet < QUIET:
            await asyncio.sleep(0.0005 if self.store.busy else 0)
            quiet = 0 if self.store.busy or self._traces() != seen else quiet + 1
            seen = self._traces()

    def _traces(self) -> tuple[int, ...]:
        read = sum(len(reader.received) for reader in self.readers)
        return (
            self.store.calls,
            self.store.refusals,
            self.task_service.running,
            self.task_service.waiting,
            read,
        )

    async def _live(self) -> None:
        async with anyio.create_task_group() as tg:
            await tg.start(self.task_service.run)
            self._ready.set()
            await self._stop.wait()
            tg.cancel_scope.cancel()


class Lifecycle(RuleBasedStateMachine):
    tasks = Bundle("tasks")
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.TaskExecutor()
        self.stack = AsyncExitStack()
        self.stack.enter_context(
            capture_logs()
        )  # rendering hundreds of tracebacks takes longer than all else
        self.scheduler = Desk()
        self.keys: dict[str, str] = {}
        self.crashes: Counter[str] = Counter()
        self.logs: dict[str, list[Event]] = {}
        self.gone: list[tuple[Reader, list[Event]]] = []
        self.loop.run(self.begin())

    async def open(self) -> Store:
        return MemoryStore()

    async def begin(self) -> None:
        self.store = await self.open()
        self.process = Process(self.store, self.scheduler)
        await self.process.start()

    def teardown(self) -> None:
        self.loop.run(self.end())
        self.loop.close()

    async def end(self) -> None:
        await self.process.reconcile()
        await self.process.stop()
        await self.stack.aclose()

    # --- what may happen ----------------------------------------------------------------------------

    @rule(
        target=tasks,
        orders=st.lists(st.tuples(st.sampled_from("abc"), KEYS), min_size=1, max_size=4),
        refusals=REFUSALS,
    )
    def submit(self, orders: list[tuple[str, str]], refusals: int) -> MultipleResults[str]:
        """Several at once."""
        self.process.store.refusals = refusals
        return multiple(*[task for task in self.loop.run(self._submit(orders)) if task])

    @rule(key=st.sampled_from(["k1", "k2"]))
    def submit_another_body(self, key: str) -> None:
        if f"a{key}" not in self.keys:
            return
        asked = IdempotencyKey(client="a", value=key, digest="another")
        try:
            self.loop.run(self.process.task_service.submit(new_task(), asked))
        except (IdempotencyKeyReused, QueueFull, StoreError):
            return
        raise AssertionError("a key was taken for another body")

    @rule(task=tasks, refusals=REFUSALS, turns=st.sampled_from([0, 0, 1, 2, 3, 5, 8]), race=st.booleans())
    def cancel(self, task: str, refusals: int, turns: int, race: bool) -> None:
        """`race`: while its stage, or another's, comes to its end, some turns of the loop before."""
        self.process.store.refusals = refusals
        self.loop.run(self._race(task, turns) if race else self._cancel(task))

    @rule(task=tasks, refusals=REFUSALS)
    def retry(self, task: str, refusals: int) -> None:
        self.process.store.refusals = refusals
        self.loop.run(self._retry(task))

    @precondition(lambda self: self.scheduler.waiting)
    @rule(choice=st.integers(0, 9), verdict=st.sampled_from(["well", "well", *VERDICTS]), refusals=REFUSALS)
    def work(self, choice: int, verdict: str, refusals: int) -> None:
        self.process.store.refusals = refusals
        self.loop.run(
            self._work(sorted(self.scheduler.waiting)[choice % len(self.scheduler.waiting)], verdict)
        )

    @precondition(lambda self: self.scheduler.waiting)
    @rule(choice=st.integers(0, 9), count=st.integers(1, 4))
    def work_on(self, choice: int, count: int) -> None:
        """Several stages of one task, so that some tasks come to their end."""
        task = sorted(self.scheduler.waiting)[choice % len(self.scheduler.waiting)]
        for _ in range(count):
            if task in self.scheduler.waiting:
                self.loop.run(self._work(task, "well"))

    @rule(task=tasks, refusals=REFUSALS, clicks=st.integers(1, 3))
    def approve(self, task: str, refusals: int, clicks: int) -> None:
        self.process.store.refusals = refusals
        self.loop.run(self._approve(task, clicks))

    @rule(task=tasks, refusals=REFUSALS)
    def amend(self, task: str, refusals: int) -> None:
        self.process.store.refusals = refusals
        self.loop.run(self._amend(task))

    @precondition(lambda self: self.scheduler.waiting or self.process.task_service.held)
    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        self.loop.run(self._restart(orderly))

    @rule(target=readers, task=tasks, after=st.integers(0, 12))
    def subscribe(self, task: str, after: int) -> Reader:
        return self.loop.run(self._subscribe(task, min(after, len(self.logs[task]))))

    @rule(reader=consumes(readers))
    def unsubscribe(self, reader: Reader) -> None:
        if reader in self.process.readers:
            self.loop.run(self._unsubscribe(reader))

    # --- how it happens -----------------------------------------------------------------------------

    async def _submit(self, orders: list[tuple[str, str]]) -> list[str | None]:
        found = await asyncio.gather(*[self._submit_one(client, key) for client, key in orders])
        await self._look()
        return found

    async def _submit_one(self, client: str, key: str) -> str | None:
        asked = IdempotencyKey(client=client, value=key, digest="d") if key else None
        try:
            task = await self.process.task_service.submit(new_task(client=client), asked)
        except (QueueFull, StoreError):
            return None
        if key:
            assert self.keys.setdefault(client + key, task.id) == task.id
        self.logs.setdefault(task.id, [])
        return task.id

    async def _race(self, task_id: str, turns: int) -> None:
        """The outcome is either's; what must hold is looked at afterwards."""
        chosen = task_id if task_id in self.scheduler.waiting else min(self.scheduler.waiting, default="")
        if chosen:
            self.scheduler.waiting[chosen].set_result("well")
            self.crashes[chosen] = 0
        for _ in range(turns):
            await asyncio.sleep(0)
        with suppress(AlreadyFinished, StoreError):
            await self.process.task_service.cancel(await self._find(task_id))

    async def _cancel(self, task_id: str) -> None:
        before = await self._find(task_id)
        try:
            after = await self.process.task_service.cancel(before)
            assert after.status is Status.CANCELLED
            assert before.status is Status.CANCELLED or not before.status.is_terminal
        except AlreadyFinished:
            assert before.status in (Status.COMPLETED, Status.FAILED)
        except StoreError:
            assert not (await self._find(task_id)).status.is_terminal

    async def _retry(self, task_id: str) -> None:
        before = await self._find(task_id)
        ended = [reader for reader in self.process.readers if reader.job.done()]
        try:
            after = await self.process.task_service.retry(before)
            assert before.failure
            assert after.status is before.failure.stage
        except (AlreadyFinished, StillWorking):
            assert before.status is not Status.FAILED
            return
        except (StoreError, QueueFull):
            return
        self.crashes[task_id] = 0
        for reader in ended:  # the end that it heard is no end any more
            self.process.readers.remove(reader)
            self.gone.append((reader, self.logs[reader.task_id][reader.after :]))

    async def _approve(self, task_id: str, clicks: int) -> None:
        before = await self._find(task_id)
        asked = [
            self.process.task_service.approve(before, lambda checkpoints: StageUpdate())
            for _ in range(clicks)
        ]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, NotPaused | AlreadyFinished):
                assert not before.paused_until
            elif not isinstance(answer, StoreError | QueueFull):
                assert isinstance(answer, Task), answer
                assert before.paused_until
                assert not answer.paused_until

    async def _amend(self, task_id: str) -> None:
        before = await self._find(task_id)
        try:
            after = await self.process.task_service.amend(
                before, lambda checkpoints: StageUpdate(kind="amended")
            )
            assert after.paused_until == before.paused_until is not None
        except (NotPaused, AlreadyFinished):
            assert not before.paused_until
        except StoreError:
            assert before.paused_until

    async def _work(self, task_id: str, verdict: str) -> None:
        self.scheduler.waiting[task_id].set_result(verdict)
        self.crashes[task_id] = 0
        await self._look()

    async def _restart(self, orderly: bool) -> None:
        await self._look()
        for task_id in self.scheduler.waiting:
            self.crashes[task_id] = 0 if orderly else self.crashes[task_id] + 1
        await (self.process.stop() if orderly else self.process.crash())
        assert not self.scheduler.waiting
        self.gone += [(reader, self.logs[reader.task_id][reader.after :]) for reader in self.process.readers]
        self.process = Process(self.store, self.scheduler)
        await self.process.start()

    async def _subscribe(self, task_id: str, after: int) -> Reader:
        reader = Reader(self.process.hub, task_id, after)
        self.process.readers.append(reader)
        return reader

    async def _unsubscribe(self, reader: Reader) -> None:
        await self._look()
        await reader.leave()
        self.process.readers.remove(reader)
        self.gone.append((reader, self.logs[reader.task_id][reader.after :]))

    async def _find(self, task_id: str) -> Task:
        (task,) = await self.store.find(TaskQuery(id=task_id))
        return task

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def look(self) -> None:
        self.loop.run(self._look())

    async def _look(self) -> None:
        await self.process.reconcile()
        found = {task.id: task for task in await self.store.find(TaskQuery(limit=1000))}
        assert found.keys() == self.logs.keys(), "a task that was accepted is gone, or one is there unasked"
        for task in found.values():
            await self._check_log(task)
            await self._check_parts(task)
        self._check_places([task for task in found.values() if not task.is_idle])
        held = [task for task in found.values() if task.paused_until]
        assert self.process.task_service.held == len(held)
        assert not any(task.status.is_terminal or task.attempts for task in held)
        self._check_readers()

    async def _check_log(self, task: Task) -> None:
        log = await self.store.events(task.id)
        assert [event.id for event in log] == list(range(1, task.sequence + 1))
        assert log[: len(self.logs[task.id])] == self.logs[task.id], "history was rewritten"
        self.logs[task.id] = log
        told = [Status(event.data["status"]) for event in log if event.kind == "status"]
        assert told[-1] is task.status
        for place, (before, after) in enumerate(pairwise(told), start=1):
            failed_in = told[place - 2] if before is Status.FAILED else None
            assert may_follow(before, after, failed_in), (
                "a status was skipped, or told twice, or after the end"
            )
        assert held_by(log) == (task.paused_until is not None)
        if task.failure:
            assert log[-1].kind == "error"
            assert task.failure.code in ("LLM_AUTH", "CRASH_LOOP", "APPROVAL_EXPIRED")
            assert (task.failure.code == "CRASH_LOOP") == (self.crashes[task.id] >= MAX_ATTEMPTS)

    async def _check_parts(self, task: Task) -> None:
        checkpoints = await self.store.checkpoints(task.id)
        made = {
            letter: self.scheduler.made[task.id, letter]
            for letter in "wxyz"
            if self.scheduler.made[task.id, letter]
        }
        assert made == dict.fromkeys(checkpoints, 1), "a part was made twice, or lost"
        assert task.status is not Status.COMPLETED or "".join(checkpoints) == "wxyz"

    def _check_places(self, unfinished: list[Task]) -> None:
        """No place is lost and no task forgotten: as many are at work as can be."""
        assert len(self.scheduler.waiting) == min(CONCURRENCY, len(unfinished))
        assert self.process.task_service.running == len(self.scheduler.waiting)
        assert self.process.task_service.waiting == len(unfinished) - self.process.task_service.running
        assert set(self.scheduler.waiting) <= {task.id for task in unfinished}

    def _check_readers(self) -> None:
        for reader in self.process.readers:
            assert reader.received == written(self.logs[reader.task_id][reader.after :])
        for reader, events in self.gone:
            assert reader.received.removesuffix(FAREWELL) == written(events)


def held_by(log: Sequence[Event]) -> bool:
    """Whether the task waits for a word by the end of its log; nothing else happens while it does."""
    held = False
    for event in log:
        assert held == (event.kind in ("approved", "amended")) or event.kind == "status"
        held = event.kind in ("approval", "amended")
    return held


def written(events: Sequence[Event]) -> bytes:
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
