"""A second pipeline, a store that fails as told, and a hub that writes down: the other parts of an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Status, Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.hub import Subscription
from gencode.engine.pipeline import Emit, Pause, StageUpdate
from gencode.engine.service import TaskService
from gencode.engine.store import IdempotencyKey, Store, TaskQuery
from gencode.observability.metrics import Metrics
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import a_task

Act = Callable[[Emit], Awaitable[Pause | None]]
"""A hold ends the run there."""
STATUSES = (Status.GENERATING, Status.MERGING, Status.CREATING_REPO, Status.PUSHING)


class Letter:
    """A stage that adds one letter to a word. `act` of the pipeline says what happens before."""

    def __init__(self, status: Status, letter: str, pipeline: Letters) -> None:
        self.status = status
        self._letter = letter
        self._pipeline = pipeline

    async def __call__(self, word: str, send: Emit) -> str | Pause:
        if self._letter in word:
            return word
        self._pipeline.begun[self._letter] += 1
        act = self._pipeline.acts.get(self._letter)
        if act and (held := await act(send)):
            return held
        self._pipeline.done[self._letter] += 1
        longer = word + self._letter
        await send(
            StageUpdate(
                kind="letter",
                data={"letter": self._letter},
                keep={self._letter: self._letter},
                result={"word": longer},
            )
        )
        return longer


class Letters:
    """Spells a word, a letter a stage: the engine knows nothing of it but `kind` and the order of stages."""

    kind = "letters"

    def __init__(self, **acts: Act) -> None:
        self.acts: dict[str, Act] = dict(acts)
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._stages = [Letter(status, letter, self) for status, letter in zip(STATUSES, "wxyz", strict=True)]

    @property
    def stages(self) -> Sequence[Letter]:
        return self._stages

    def restore(self, task: Task, checkpoints: Mapping[str, str]) -> str:
        return "".join(letter for name, letter in checkpoints.items() if name in "wxyz")

    def message(self, task: Task, status: Status) -> str:
        return f"now {status}"


class FaultyStore:
    """A MemoryStore in front of which writes and reads go wrong.

    down       refuse everything
    refusals   how many more writes are refused
    lying      the refused writes happen all the same
    gate       what each write waits for, once it has been asked for
    before     called with the number of each write (the creation is 1) before it is made
    """

    def __init__(self, inner: Store | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.down = False
        self.refusals = 0
        self.lying = False
        self.gate: anyio.Event | None = None
        self.asked = anyio.Event()
        self.before: Callable[[int], Awaitable[None]] | None = None
        self.writes = 0

    async def create(
        self,
        task: Task,
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        await self._write()
        return await self.inner.create(task, events, key, callback)

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        try:
            await self._write()
        except StoreError:
            if self.lying:
                await self.inner.commit(task, events, keep)
            raise
        await self.inner.commit(task, events, keep)

    async def named(self, key: IdempotencyKey) -> Task | None:
        self._read()
        return await self.inner.named(key)

    async def find(self, query: TaskQuery) -> list[Task]:
        self._read()
        return await self.inner.find(query)

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        self._read()
        return await self.inner.events(task_id, after)

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        self._read()
        return await self.inner.checkpoints(task_id)

    def _read(self) -> None:
        if self.down:
            raise StoreError("the disk is away")

    def refuse(self, number: int) -> None:
        """Refuse one write, by its number."""

        async def before(n: int) -> None:
            self.refusals = int(n == number)

        self.before = before

    def lie_and_fall_silent(self) -> None:
        """The next write happens, and is denied; from then on the store is down."""

        async def before(n: int) -> None:
            self.down = True

        self.before, self.lying = before, True

    def recover(self) -> None:
        self.before, self.lying, self.down = None, False, False

    async def _write(self) -> None:
        self.writes += 1
        self.asked.set()
        if self.before:
            await self.before(self.writes)
        if self.gate:
            await self.gate.wait()
        self._read()
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full")


class NoteHub:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.over: list[str] = []
        self.lived: list[Mapping[str, Any]] = []

    def publish(self, events: Sequence[Event], over: bool = False) -> None:
        assert events
        self.told.extend(events)
        if over:
            self.over.append(events[0].task_id)

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        self.lived.append(data)

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> Subscription:
        raise NotImplementedError

    def close(self) -> None: ...


class Rig:
    """A manager with all that it needs; `sleeps` are its waits for the store, which end when a test says."""

    def __init__(
        self, pipeline: Letters | None = None, store: FaultyStore | None = None, **options: Any
    ) -> None:
        self.pipeline = pipeline or Letters()
        self.store = store or FaultyStore()
        self.hub = NoteHub()
        self.metrics = Metrics()
        timeout = options.pop("timeout", 60.0)
        attempts = options.pop("max_attempts", 5)
        self.runner = TaskExecutor(self.store, [self.pipeline], self.metrics, timeout, attempts)
        self.paused = anyio.Event()
        self.go_on = anyio.Event()
        options = {"concurrency": 2, "waiting": 10, "sleep": self._sleep, **options}
        self.task_service = TaskService(self.runner, self.store, self.hub, self.metrics, **options)
        self.sleeps: list[float] = []

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.paused.set()
        await self.go_on.wait()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[TaskService]:
        """The manager's life: it is cancelled at the end, as by its owner."""
        async with anyio.create_task_group() as tg:
            await tg.start(self.task_service.run)
            yield self.task_service
            tg.cancel_scope.cancel()

    async def submit(self, **fields: Any) -> Task:
        return await self.task_service.submit(new_task(**fields))

    async def over(self, task: Task) -> Task:
        """Wait until nothing of the task is left to do."""
        while not (now := await self.task(task)).status.is_terminal:
            await anyio.sleep(0)
        return now

    async def held(self, task: Task) -> Task:
        """Wait until the task waits for a person's word, and nobody works on it."""
        while not (now := await self.task(task)).paused_until or self.task_service.running:
            await anyio.sleep(0)
        return now

    async def idle(self) -> None:
        while self.task_service.running or self.task_service.waiting:
            await anyio.sleep(0)

    async def task(self, task: Task) -> Task:
        (found,) = await self.store.inner.find(TaskQuery(id=task.id))
        return found

    async def log(self, task: Task) -> list[Event]:
        """The stored log; dense, and exactly what was published of it (the first event apart)."""
        events = await self.store.inner.events(task.id)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert (await self.task(task)).sequence == len(events)
        assert [event for event in self.hub.told if event.task_id == task.id] == events[1:]
        return events

    async def statuses(self, task: Task) -> list[str]:
        return [event.data["status"] for event in await self.log(task) if event.kind == "status"]


def new_task(**fields: Any) -> Task:
    return a_task(**{"kind": "letters", "request": {}, "message": "accepted", **fields})


class Latch:
    """An act that waits until it is let go; `begun` when somebody is held."""

    def __init__(self) -> None:
        self.begun = anyio.Event()
        self.let_go = anyio.Event()
        self.inside = 0
        self.most = 0

    async def __call__(self, send: Emit) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.begun.set()
        try:
            await self.let_go.wait()
        finally:
            self.inside -= 1


def holding(*, times: int = 1, seconds: float = 3600.0) -> Act:
    """Holds so often, then does nothing."""
    left = times

    async def act(send: Emit) -> Pause | None:
        nonlocal left
        left -= 1
        return Pause(message="may I?", seconds=seconds) if left >= 0 else None

    return act


def failing(*errors: BaseException) -> Act:
    """Raises one error after the other, then does nothing."""
    left = list(errors)

    async def act(send: Emit) -> None:
        if left:
            raise left.pop(0)

    return act
