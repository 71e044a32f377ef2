"""The courier, with a clock of its own and receivers that answer as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.sender import Answer, Message, NotSent
from gencode.notifications.url_policy import UrlRefused
from gencode.observability.metrics import Metrics
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import REQUEST, a_task, an_event

OK, START = Answer(status=200), 1_000_000.0
Outcome = Answer | Exception


class Voice:
    """Tells statuses as "task:event". `script` says what comes of each; `gate` holds those of a host back."""

    waits: Sequence[float] = (5.0, 60.0, 300.0)
    gone = frozenset({410})

    def __init__(self, script: Callable[[str, int], Outcome] = lambda _what, _n: OK) -> None:
        self.script = script
        self.sent: list[str] = []
        self.gates: dict[str, anyio.Event] = {}
        self.at_once: dict[str, int] = {}
        self.most_at_once = 0
        self._changed = anyio.Event()

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        return Message(body=f"{task.id}:{event.id}".encode(), headers={}) if event.kind == "status" else None

    async def post(self, url: str, message: Message) -> Answer:
        what = message.body.decode()
        self.sent.append(what)
        self.at_once[url] = self.at_once.get(url, 0) + 1
        self.most_at_once = max(self.most_at_once, sum(self.at_once.values()))
        self._tell()
        try:
            if gate := self.gates.get(url):
                await gate.wait()
        finally:
            self.at_once[url] -= 1
        outcome = self.script(what, self.sent.count(what))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


class NotingStore(MemoryStore):
    """Says when something was noted; `refusals` notes are refused first."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[Callback] = []
        self.refusals = 0
        self._noted = anyio.Event()

    async def save_callback(self, callback: Callback) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full")
        await super().save_callback(callback)
        self.notes.append(callback)
        noted, self._noted = self._noted, anyio.Event()
        noted.set()

    async def until(self, enough: Callable[[list[Callback]], bool]) -> Callback:
        while not enough(self.notes):
            await self._noted.wait()
        return self.notes[-1]


class Rig:
    def __init__(self, notifier: Voice | None = None, **options: Any) -> None:
        self.notifier = notifier or Voice()
        self.store = NotingStore()
        self.now = START
        self.metrics = Metrics()
        self.pauses: list[float] = []
        self.dispatcher = NotificationDispatcher(
            self.store,
            self.store,
            {"webhook": self.notifier},  # type: ignore[dict-item]  # its post is a method
            self.metrics,
            now=lambda: self.now,
            spread=lambda: 0.5,
            sleep=self._sleep,
            **options,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def task(self, host: str = "a", statuses: int = 1, **fields: Any) -> Task:
        task = a_task(sequence=statuses)
        events = [an_event(task, n) for n in range(1, statuses + 1)]
        callback = Callback(task_id=task.id, kind="webhook", url=f"https://{host}/", host=f"{host}:443")
        await self.store.create(task, REQUEST, events, callback=replace(callback, **fields))
        return task

    async def grow(self, task: Task, kind: str = "status") -> Task:
        later = replace(task, sequence=task.sequence + 1, version=task.version + 1)
        await self.store.commit(later, [Event(task_id=task.id, id=later.sequence, kind=kind, data={})])
        self.dispatcher.wake()
        return later

    async def state(self, task: Task) -> Callback:
        found = await self.store.callback(task.id)
        assert found
        return found

    def count(self, outcome: str) -> float:
        found = self.metrics.callback_attempts.labels("webhook", outcome)
        return float(found._value.get())


@asynccontextmanager
async def at_work(rig: Rig) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tg:
        tg.start_soon(rig.dispatcher.run)
        yield
        tg.cancel_scope.cancel()


def told(number: int) -> Callable[[list[Callback]], bool]:
    """That many were told all there was."""
    return lambda notes: sum(note.due is None for note in notes) >= number


async def test_each_status_is_told_once_in_order_and_other_events_are_not() -> None:
    rig = Rig()
    task = await rig.task(statuses=2)
    async with at_work(rig):
        await rig.store.until(told(1))
        task = await rig.grow(task, "usage")
        await rig.grow(task)
        await rig.store.until(told(2))
    assert rig.notifier.sent == [f"{task.id}:{n}" for n in (1, 2, 4)]
    assert (await rig.state(task)).position == 4
    assert rig.count("told") == 3


async def test_a_failed_attempt_is_made_again_at_its_time_with_the_same_message_before_any_other() -> None:
    rig = Rig(Voice(lambda what, n: OK if n > 2 or what.endswith(":2") else Answer(status=500)))
    task = await rig.task(statuses=2)
    async with at_work(rig):
        failed = await rig.store.until(lambda notes: len(notes) >= 1)
        assert (failed.failures, failed.position) == (1, 0)
        assert failed.due == int((START + 5 * 1.1) * 1000)
        assert failed.reason == "the receiver answered 500"
        rig.dispatcher.wake()  # not yet
        await anyio.wait_all_tasks_blocked()
        assert len(rig.notifier.sent) == 1
        rig.now += 6
        rig.dispatcher.wake()
        failed = await rig.store.until(lambda notes: len(notes) >= 2)
        assert failed.due == int((rig.now + 60 * 1.1) * 1000)
        rig.now += 67
        rig.dispatcher.wake()
        await rig.store.until(lambda notes: len(notes) >= 3)
        assert rig.store.notes[2] == replace(failed, failures=0, due=0, position=1, reason="")
    assert rig.notifier.sent[:4] == [f"{task.id}:1"] * 3 + [f"{task.id}:2"]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Answer(status=302), "the receiver answered 302 and redirects are not followed"),
        (Answer(status=404), "the receiver answered 404"),
        (NotSent("could not be connected to"), "the receiver could not be connected to"),
        (UrlRefused("leads elsewhere"), "the address leads elsewhere"),
        (RuntimeError("whsec_secret"), "an unexpected error; the log has it"),
    ],
)
async def test_what_comes_between_is_said_and_given_up_after_the_last_wait(
    outcome: Outcome, reason: str
) -> None:
    rig = Rig(Voice(lambda _what, _n: outcome))
    task = await rig.task()
    async with at_work(rig):
        for number in (1, 2, 3, 4):
            note = await rig.store.until(lambda notes, number=number: len(notes) == number)  # type: ignore[misc]
            rig.now += 10_000
            rig.dispatcher.wake()
        assert note.ended
        assert note.reason == f"given up after 4 attempts: {reason}"
        await rig.grow(task)
        await anyio.wait_all_tasks_blocked()
    assert len(rig.notifier.sent) == 4
    assert rig.count("failed") == 3
    assert rig.count("given_up") == 1


async def test_who_answers_410_is_told_no_more() -> None:
    rig = Rig(Voice(lambda _what, _n: Answer(status=410)))
    task = await rig.task(statuses=3)
    async with at_work(rig):
        note = await rig.store.until(lambda notes: bool(notes))
        await rig.grow(task)
        await anyio.wait_all_tasks_blocked()
    assert note.ended
    assert "410" in note.reason
    assert len(rig.notifier.sent) == 1


@pytest.mark.parametrize(("asked", "waited"), [(1.0, 5.5), (120.0, 120.0), (10.0**9, 24 * 3600.0)])
async def test_a_receiver_may_ask_for_a_longer_wait_up_to_a_day(asked: float, waited: float) -> None:
    rig = Rig(Voice(lambda _what, _n: Answer(status=503, retry_after=asked)))
    await rig.task()
    async with at_work(rig):
        note = await rig.store.until(lambda notes: bool(notes))
    assert note.due == int((START + waited) * 1000)


async def test_hundreds_of_tasks_are_told_a_few_at_a_time() -> None:
    rig = Rig(at_once=8, per_host=2)
    for number in range(300):
        await rig.task(host=f"host{number % 50}")
    async with at_work(rig):
        await rig.store.until(told(300))
    assert len(set(rig.notifier.sent)) == len(rig.notifier.sent) == 300
    assert rig.notifier.most_at_once <= 8


async def test_a_receiver_that_does_not_answer_holds_up_only_itself() -> None:
    rig = Rig(at_once=4, per_host=2)
    rig.notifier.gates["https://slow/"] = anyio.Event()
    slow = [await rig.task(host="slow") for _ in range(20)]
    quick = [await rig.task(host="quick") for _ in range(20)]
    async with at_work(rig):
        await rig.store.until(told(20))
        assert rig.notifier.at_once["https://slow/"] == 2
        assert all([(await rig.state(task)).due is None for task in quick])
        rig.notifier.gates["https://slow/"].set()
        await rig.store.until(told(40))
    assert {what.partition(":")[0] for what in rig.notifier.sent} == {task.id for task in slow + quick}


async def test_what_could_not_be_noted_is_told_again_after_a_pause() -> None:
    rig = Rig()
    task = await rig.task()
    rig.store.refusals = 1
    async with at_work(rig):
        await rig.store.until(told(1))
    assert rig.notifier.sent == [f"{task.id}:1"] * 2
    assert len(rig.pauses) == 1


async def test_a_kind_that_the_service_knows_no_more_ends() -> None:
    rig = Rig()
    task = await rig.task(kind="pigeon")
    async with at_work(rig):
        note = await rig.store.until(lambda notes: bool(notes))
    assert (note.task_id, note.ended, note.due) == (task.id, True, None)
    assert "pigeon" in note.reason


async def test_one_that_cannot_be_put_into_words_keeps_no_other_from_being_told() -> None:
    class Stumbling(Voice):
        def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
            if task.id == first.id:
                raise KeyError("at")
            return super().message(task, event, following)

    rig = Rig(Stumbling())
    first = await rig.task("a")
    other = await rig.task("b")
    async with at_work(rig):
        await rig.store.until(lambda notes: any(note.task_id == other.id for note in notes))
    assert (await rig.state(first)).due == 0
    assert set(rig.pauses) == {60.0}
