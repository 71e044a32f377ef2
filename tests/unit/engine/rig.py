"""What engine tests run: pipelines of named stages, a store that fails on demand, a hub that records."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import anyio

from gencode.domain.callback import Callback
from gencode.domain.errors import GencodeError, OutcomeUnknown, StoreError, Transient
from gencode.domain.event import Event
from gencode.domain.principal import Principal
from gencode.domain.task import Task, now
from gencode.engine.executor import TaskExecutor
from gencode.engine.paused_tasks import PausedTasksInMemory
from gencode.engine.ports.hub import Subscription
from gencode.engine.ports.pipeline import Emit, Pause, Pipeline, Stage, StageUpdate
from gencode.engine.ports.retention_store import FinishedTask
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery
from gencode.engine.service import TaskService
from gencode.engine.task_ids import new_id
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.storage.memory import MemoryStore

T = TypeVar("T")

Act = Callable[[Emit], Awaitable[Pause | None]]
"""What a stage does before it adds its letter; a Pause ends the run there."""

FOUR = {"draft": "w", "check": "x", "pack": "y", "ship": "z"}
"""Stages by name, each with the letter that it adds."""
TWO = {"read": "r", "answer": "a"}
SEVEN = {"one": "a", "two": "b", "three": "c", "four": "d", "five": "e", "six": "f", "seven": "g"}
STAGES = tuple(FOUR)


class NoAccess(GencodeError):
    code = "NO_ACCESS"


class Busy(Transient):
    code = "BUSY"


class Spelling:
    """A pipeline that spells a word, one letter a stage.

    acts      by letter
    skipped   letters whose stages do not apply
    started   by letter, how often its stage was called with a word that lacks it
    finished  by letter, how often it was added
    requests  those that a run was restored with
    """

    def __init__(self, stages: Mapping[str, str] = FOUR, skipped: str = "", **acts: Act) -> None:
        self.letters = stages
        self.acts: dict[str, Act] = dict(acts)
        self.skipped = skipped
        self.started: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.requests: list[Mapping[str, Any]] = []
        self._stages = [self._stage(name, letter) for name, letter in stages.items()]

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Mapping[str, str]) -> str:
        self.requests.append(request)
        return "".join(name for name in checkpoints if name in self.letters.values())

    def final_updates(self, task: Task, checkpoints: Mapping[str, str]) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return f"now {status}"

    def _stage(self, name: str, letter: str) -> Stage:
        async def run(word: str, emit: Emit) -> str | Pause:
            if letter in word:
                return word
            self.started[letter] += 1
            act = self.acts.get(letter)
            if act and (pause := await act(emit)):
                return pause
            self.finished[letter] += 1
            await emit(
                StageUpdate(
                    kind="letter",
                    data={"letter": letter},
                    checkpoints={letter: letter},
                    result={"word": word + letter},
                )
            )
            return word + letter

        return Stage(name=name, run=run, applies=lambda word: letter not in self.skipped)


class FaultyStore:
    """A store in front of which writes and reads fail on demand.

    down      refuse everything
    refusals  how many more writes fail
    outcome   of the writes that fail: "refused" (StoreError, nothing stored), "stored" or "lost"
              (OutcomeUnknown, stored or not)
    gate      what each write waits for
    asked     set when a write is asked for
    before    called with the number of each write (the creation is 1) before it is made
    detached  a write goes on when its caller is cancelled, as a thread's or a database's does
    """

    def __init__(self, inner: Store | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.down = False
        self.refusals = 0
        self.outcome: Literal["refused", "stored", "lost"] = "refused"
        self.gate: anyio.Event | None = None
        self.asked = anyio.Event()
        self.before: Callable[[int], Awaitable[None]] | None = None
        self.detached = False
        self.writes = 0

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        return await self._write(lambda: self.inner.create(task, request, events, key, callback))

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        await self._write(lambda: self.inner.commit(task, events, checkpoints))

    async def find(self, query: TaskQuery) -> list[Task]:
        self._read()
        return await self.inner.find(query)

    async def count(self, query: TaskQuery) -> int:
        self._read()
        return await self.inner.count(query)

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        self._read()
        return await self.inner.find_by_key(key)

    async def request(self, task_id: str) -> dict[str, Any]:
        self._read()
        return await self.inner.request(task_id)

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        self._read()
        return await self.inner.events(task_id, after)

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        self._read()
        return await self.inner.event_page(task_id, after)

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        self._read()
        return await self.inner.checkpoints(task_id)

    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        return await self._write(lambda: self.inner.delete_tasks(tasks))

    async def check_writable(self) -> None:
        await self._write(self.inner.check_writable)

    def refuse(self, number: int) -> None:
        """Fail one write, by its number."""

        async def before(n: int) -> None:
            self.refusals = int(n == number)

        self.before = before

    def store_and_go_down(self) -> None:
        """The next write is stored and not confirmed; from then on the store is down."""

        async def before(n: int) -> None:
            self.down = True

        self.before, self.outcome = before, "stored"

    def recover(self) -> None:
        self.before, self.outcome, self.down = None, "refused", False

    def _read(self) -> None:
        if self.down:
            raise StoreError("the disk is away")

    async def _write(self, write: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self.detached:
            return await asyncio.shield(asyncio.ensure_future(self._checked(write)))
        return await self._checked(write)

    async def _checked(self, write: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self.writes += 1
        self.asked.set()
        if self.before:
            await self.before(self.writes)
        if self.gate:
            await self.gate.wait()
        if not (self.down or self.refusals):
            return await write()
        self.refusals = max(self.refusals - 1, 0)
        if self.outcome == "refused":
            raise StoreError("the disk is full")
        if self.outcome == "stored":
            await write()
        raise OutcomeUnknown("the disk did not confirm")


class RecordingHub:
    """Records what is published."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.final: list[str] = []
        self.live: list[Mapping[str, Any]] = []

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        """As subscribers do, it skips events that it has."""
        assert events
        self.published += [event for event in events if event not in self.published]
        if is_final:
            self.final.append(events[0].task_id)

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        self.live.append(data)

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> Subscription:
        raise NotImplementedError

    def close(self) -> None: ...


class Rig:
    """A task service with all that it needs. Its waits for the store end when the test sets `retry_store`.

    sleeps         the seconds of these waits
    store_refused  set when the first of them begins
    """

    def __init__(
        self, pipeline: Spelling | None = None, store: FaultyStore | None = None, **options: Any
    ) -> None:
        self.pipeline = pipeline or Spelling()
        pipelines: dict[str, Pipeline] = {"letters": self.pipeline, **options.pop("pipelines", {})}
        self.store = store or FaultyStore()
        self.hub = RecordingHub()
        self.metrics = Metrics()
        timeout, attempts = options.pop("timeout", 60.0), options.pop("max_attempts", 5)
        self.executor = TaskExecutor(self.store, pipelines, self.metrics, timeout, attempts)
        self.queue: FairQueue = options.pop("queue", FairQueue(options.pop("waiting", 10)))
        self.paused_tasks: PausedTasksInMemory = options.pop("paused", PausedTasksInMemory())
        self.sleeps: list[float] = []
        self.store_refused = anyio.Event()
        self.retry_store = anyio.Event()
        options = {"concurrency": 2, "sleep": self._sleep, "paused": self.paused_tasks, **options}
        self.service = TaskService(self.executor, self.store, self.hub, self.queue, self.metrics, **options)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.store_refused.set()
        await self.retry_store.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TaskService]:
        """The service's lifetime: it is cancelled at the end, as by its owner."""
        async with anyio.create_task_group() as group:
            await group.start(self.service.run)
            yield self.service
            group.cancel_scope.cancel()

    async def submit(self, **fields: Any) -> Task:
        return await self.service.submit(new_task(**fields), {"prompt": "a word"})

    async def finished(self, task: Task, after: int = 0) -> Task:
        """Wait until the task is over, by an event later than `after`."""
        while not (stored := await self.task(task)).state.is_terminal or stored.sequence <= after:
            await anyio.sleep(0)
        return stored

    async def paused(self, task: Task) -> Task:
        """Wait until the task is paused and no worker has it."""
        while not (stored := await self.task(task)).paused_until or self.service.running:
            await anyio.sleep(0)
        return stored

    async def idle(self) -> None:
        while self.service.running or self.service.waiting:
            await anyio.sleep(0)

    async def task(self, task: Task) -> Task:
        (found,) = await self.store.inner.find(TaskQuery(id=task.id))
        return found

    async def log(self, task: Task) -> list[Event]:
        """The stored log: dense, and exactly what was published (the first event apart)."""
        events = await self.store.inner.events(task.id)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert (await self.task(task)).sequence == len(events)
        assert [event for event in self.hub.published if event.task_id == task.id] == events[1:]
        return events

    async def statuses(self, task: Task) -> list[str]:
        return [event.data["status"] for event in await self.log(task) if event.kind == "status"]

    def deliveries(self) -> dict[str, int]:
        """How many deliveries to workers the metrics have counted, by outcome."""
        (family,) = [one for one in self.metrics.deliveries.collect() if one.samples] or [None]
        samples = family.samples if family else ()
        return {one.labels["outcome"]: int(one.value) for one in samples if not one.name.endswith("_created")}

    def counted(self, status: str, code: str = "") -> float:
        """How many tasks the metrics have counted with this outcome."""
        line = f'gencode_tasks_total{{code="{code}",outcome="{status}"}} '
        found = [one for one in self.metrics.render().decode().splitlines() if one.startswith(line)]
        return float(found[0].removeprefix(line)) if found else 0.0


def new_task(*, principal: str = "alice", **fields: Any) -> Task:
    moment = now()
    defaults: dict[str, Any] = {
        "id": new_id(),
        "kind": "letters",
        "created_at": moment,
        "updated_at": moment,
        "message": "accepted",
    }
    return Task(principal=Principal(id=principal), **(defaults | fields))


def an_event(task: Task, id_: int, **data: Any) -> Event:
    return Event(task_id=task.id, id=id_, kind="status", data=data or {"status": task.status})


@asynccontextmanager
async def leaving(operation: Coroutine[Any, Any, Any], natively: bool = True) -> AsyncIterator[None]:
    """A caller that is cancelled after the block: as asyncio.timeout does it, else as a cancel scope does."""
    scope = anyio.CancelScope()

    async def call() -> None:
        with scope:
            await operation

    caller = asyncio.create_task(call())
    yield
    if natively:
        caller.cancel()
    scope.cancel()
    await asyncio.wait([caller])


class Latch:
    """An act that waits until it is released; `entered` is set when a stage waits in it."""

    def __init__(self) -> None:
        self.entered = anyio.Event()
        self.released = anyio.Event()
        self.inside = 0
        self.most = 0

    async def __call__(self, emit: Emit) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        try:
            await self.released.wait()
        finally:
            self.inside -= 1


def pausing(*, times: int = 1, seconds: float = 3600.0) -> Act:
    """Pauses so often, then does nothing."""
    left = times

    async def act(emit: Emit) -> Pause | None:
        nonlocal left
        left -= 1
        return Pause(message="may I?", seconds=seconds) if left >= 0 else None

    return act


def failing(*errors: BaseException) -> Act:
    """Raises one error after the other, then does nothing."""
    left = list(errors)

    async def act(emit: Emit) -> None:
        if left:
            raise left.pop(0)

    return act
