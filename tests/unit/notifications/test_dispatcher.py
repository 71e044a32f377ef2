"""The dispatcher, with a manual clock and scripted receivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.sender import Message, NoResponse, Response
from gencode.observability.metrics import Metrics
from gencode.outbound.url_policy import UrlRefused
from gencode.storage.memory import MemoryStore
from tests.servers.loop_clock import LoopClock
from tests.unit.storage.samples import REQUEST, a_task, an_event

OK, START = Response(status=200), 1_000_000.0
Outcome = Response | Exception


class ScriptedNotifier:
    """Sends each status as "task:event".

    script  the outcome of a message and the number of its attempt
    gates   by URL: sends there wait until it is set
    """

    retry_delays: Sequence[float] = (5.0, 60.0, 300.0)
    permanent_statuses = frozenset({410})

    def __init__(self, script: Callable[[str, int], Outcome] = lambda _what, _n: OK) -> None:
        self.script = script
        self.sent: list[str] = []
        self.gates: dict[str, anyio.Event] = {}
        self.active: dict[str, int] = {}
        self.most_active = 0
        self._changed = anyio.Event()

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        return Message(body=f"{task.id}:{event.id}".encode(), headers={}) if event.kind == "status" else None

    async def send(self, url: str, message: Message) -> Response:
        what = message.body.decode()
        self.sent.append(what)
        self.active[url] = self.active.get(url, 0) + 1
        self.most_active = max(self.most_active, sum(self.active.values()))
        self._notify()
        try:
            if gate := self.gates.get(url):
                await gate.wait()
        finally:
            self.active[url] -= 1
        outcome = self.script(what, self.sent.count(what))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            await self._changed.wait()

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


class ObservableStore(MemoryStore):
    """Records saved callbacks. The first `failures_left` saves fail."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Callback] = []
        self.failures_left = 0
        self._changed = anyio.Event()

    async def save_callback(self, callback: Callback) -> None:
        if self.failures_left:
            self.failures_left -= 1
            raise StoreError("the disk is full")
        await super().save_callback(callback)
        self.saved.append(callback)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def until(self, enough: Callable[[list[Callback]], bool]) -> Callback:
        while not enough(self.saved):
            await self._changed.wait()
        return self.saved[-1]


class Rig:
    def __init__(self, notifier: ScriptedNotifier | None = None, **options: Any) -> None:
        self.notifier = notifier or ScriptedNotifier()
        self.store = ObservableStore()
        self.now = START
        self.metrics = Metrics()
        self.pauses: list[float] = []
        self.dispatcher = NotificationDispatcher(
            self.store,
            self.store,
            {"webhook": self.notifier},  # type: ignore[dict-item]  # its send is a method
            self.metrics,
            now=lambda: self.now,
            random=lambda: 0.5,
            sleep=self._sleep,
            **options,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def task(
        self, host: str = "a", statuses: int = 1, principal: str = "alice", port: int = 443, **fields: Any
    ) -> Task:
        task = a_task(principal, sequence=statuses)
        events = [an_event(task, n) for n in range(1, statuses + 1)]
        callback = Callback(task_id=task.id, kind="webhook", url=f"https://{host}/", host=f"{host}:{port}")
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
async def running(rig: Rig) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tg:
        tg.start_soon(rig.dispatcher.run)
        yield
        tg.cancel_scope.cancel()


def caught_up(number: int) -> Callable[[list[Callback]], bool]:
    """Whether so many callbacks had nothing left to deliver."""
    return lambda saved: sum(callback.due is None for callback in saved) >= number


async def test_each_status_is_delivered_once_in_order_and_other_events_are_not() -> None:
    rig = Rig()
    task = await rig.task(statuses=2)
    async with running(rig):
        await rig.store.until(caught_up(1))
        task = await rig.grow(task, "usage")
        await rig.grow(task)
        await rig.store.until(caught_up(2))
    assert rig.notifier.sent == [f"{task.id}:{n}" for n in (1, 2, 4)]
    assert (await rig.state(task)).position == 4
    assert rig.count("told") == 3


async def test_a_callback_with_nothing_left_to_deliver_is_only_put_to_rest() -> None:
    """A process that was killed between the last delivery and the next read leaves it due."""
    rig = Rig()
    task = await rig.task(position=1, due=0)
    with capture_logs() as logs:
        async with running(rig):
            await rig.store.until(caught_up(1))
            await rig.grow(task)
            await rig.store.until(caught_up(2))
    assert rig.notifier.sent == [f"{task.id}:2"]
    assert (rig.pauses, [entry for entry in logs if entry["log_level"] == "error"]) == ([], [])


async def test_a_failed_message_is_repeated_after_its_wait_and_before_any_other() -> None:
    rig = Rig(ScriptedNotifier(lambda what, n: OK if n > 2 or what.endswith(":2") else Response(status=500)))
    task = await rig.task(statuses=2)
    async with running(rig):
        failed = await rig.store.until(lambda saved: len(saved) >= 1)
        assert (failed.failures, failed.position) == (1, 0)
        assert failed.due == int((START + 5 * 1.1) * 1000)
        assert failed.reason == "the receiver answered 500"
        rig.dispatcher.wake()  # not yet
        await anyio.wait_all_tasks_blocked()
        assert len(rig.notifier.sent) == 1
        rig.now += 6
        rig.dispatcher.wake()
        failed = await rig.store.until(lambda saved: len(saved) >= 2)
        assert failed.due == int((rig.now + 60 * 1.1) * 1000)
        rig.now += 67
        rig.dispatcher.wake()
        await rig.store.until(lambda saved: len(saved) >= 3)
        assert rig.store.saved[2] == replace(failed, failures=0, due=0, position=1, reason="")
    assert rig.notifier.sent[:4] == [f"{task.id}:1"] * 3 + [f"{task.id}:2"]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Response(status=302), "the receiver answered 302 and redirects are not followed"),
        (Response(status=404), "the receiver answered 404"),
        (NoResponse("could not be connected to"), "the receiver could not be connected to"),
        (UrlRefused("leads elsewhere"), "the address leads elsewhere"),
        (RuntimeError("whsec_secret"), "an unexpected error; the log has it"),
    ],
)
async def test_a_delivery_is_given_up_after_the_last_wait_with_the_reason(
    outcome: Outcome, reason: str
) -> None:
    rig = Rig(ScriptedNotifier(lambda _what, _n: outcome))
    task = await rig.task()
    async with running(rig):
        for number in (1, 2, 3, 4):
            callback = await rig.store.until(lambda saved, number=number: len(saved) == number)  # type: ignore[misc]
            rig.now += 10_000
            rig.dispatcher.wake()
        assert callback.ended
        assert callback.reason == f"given up after 4 attempts: {reason}"
        await rig.grow(task)
        await anyio.wait_all_tasks_blocked()
    assert len(rig.notifier.sent) == 4
    assert rig.count("failed") == 3
    assert rig.count("given_up") == 1


async def test_a_receiver_that_responds_410_gets_no_more_messages() -> None:
    rig = Rig(ScriptedNotifier(lambda _what, _n: Response(status=410)))
    task = await rig.task(statuses=3)
    with capture_logs() as logs:
        async with running(rig):
            callback = await rig.store.until(lambda saved: bool(saved))
            await rig.grow(task)
            await anyio.wait_all_tasks_blocked()
    assert callback.ended
    assert "410" in callback.reason
    assert len(rig.notifier.sent) == 1
    (entry,) = [entry for entry in logs if entry["event"] == "callback given up"]
    assert entry["log_level"] == "warning", "the receiver is the client's"


@pytest.mark.parametrize(("asked", "waited"), [(1.0, 5.5), (120.0, 120.0), (10.0**9, 24 * 3600.0)])
async def test_retry_after_makes_a_wait_longer_up_to_a_day(asked: float, waited: float) -> None:
    rig = Rig(ScriptedNotifier(lambda _what, _n: Response(status=503, retry_after=asked)))
    await rig.task()
    async with running(rig):
        callback = await rig.store.until(lambda saved: bool(saved))
    assert callback.due == int((START + waited) * 1000)


async def test_concurrency_is_bounded() -> None:
    rig = Rig(concurrency=8, per_host=2)
    for number in range(120):
        await rig.task(host=f"host{number % 20}")
    async with running(rig):
        await rig.store.until(caught_up(120))
    assert len(set(rig.notifier.sent)) == len(rig.notifier.sent) == 120
    assert rig.notifier.most_active <= 8


async def test_a_receiver_that_does_not_respond_delays_only_its_own_callbacks() -> None:
    rig = Rig(concurrency=4, per_host=2)
    rig.notifier.gates["https://slow/"] = anyio.Event()
    slow = [await rig.task(host="slow") for _ in range(20)]
    quick = [await rig.task(host="quick") for _ in range(20)]
    async with running(rig):
        await rig.store.until(caught_up(20))
        assert rig.notifier.active["https://slow/"] == 2
        assert all([(await rig.state(task)).due is None for task in quick])
        rig.notifier.gates["https://slow/"].set()
        await rig.store.until(caught_up(40))
    assert {what.partition(":")[0] for what in rig.notifier.sent} == {task.id for task in slow + quick}


@pytest.mark.fault(115)
async def test_one_principal_s_receivers_that_hang_leave_places_for_others() -> None:
    """120 callbacks to eight ports of one address delayed another client's callback from 0.07 to 42 s."""
    rig = Rig()
    for n in range(120):
        rig.notifier.gates[f"https://hangs{n % 30}/"] = anyio.Event()
        await rig.task(host=f"hangs{n % 30}", principal="mallory")
    async with running(rig):
        await rig.notifier.until(lambda: len(rig.notifier.sent) == 8)
        others = [await rig.task(host=f"good{n}", principal=f"client{n}") for n in range(40)]
        rig.dispatcher.wake()
        await rig.store.until(caught_up(40))
        assert {what.partition(":")[0] for what in rig.notifier.sent[8:]} == {task.id for task in others}
        assert sum(rig.notifier.active.values()) == 8


@pytest.mark.fault(115)
async def test_ports_of_one_address_share_the_places_of_a_host() -> None:
    rig = Rig(per_host=2)
    rig.notifier.gates["https://a/"] = anyio.Event()
    for port in range(8):
        await rig.task(host="a", port=port + 1)
    other = await rig.task(host="b")
    async with running(rig):
        await rig.store.until(caught_up(1))
        assert rig.notifier.active == {"https://a/": 2, "https://b/": 0}
        assert (await rig.state(other)).due is None


@pytest.mark.fault(115)
async def test_when_all_places_are_taken_the_next_free_one_goes_to_who_has_none() -> None:
    rig = Rig(concurrency=4, per_principal=2, per_host=1)
    for n in range(40):
        rig.notifier.gates[f"https://slow{n}/"] = anyio.Event()
        await rig.task(host=f"slow{n}", principal=("mallory", "trudy")[n % 2], due=n)
    async with running(rig):
        await rig.notifier.until(lambda: len(rig.notifier.sent) == 4)
        late = await rig.task(host="good", principal="alice", due=1000)
        rig.dispatcher.wake()
        rig.notifier.gates["https://slow0/"].set()
        await rig.store.until(lambda saved: any(one.task_id == late.id for one in saved))
        assert [what.partition(":")[0] for what in rig.notifier.sent].index(late.id) == 4


async def test_a_delivery_that_could_not_be_stored_is_repeated_after_a_pause() -> None:
    rig = Rig()
    task = await rig.task()
    rig.store.failures_left = 1
    async with running(rig):
        await rig.store.until(caught_up(1))
    assert rig.notifier.sent == [f"{task.id}:1"] * 2
    assert len(rig.pauses) == 1


async def test_a_callback_without_its_notifier_ends() -> None:
    rig = Rig()
    task = await rig.task(kind="pigeon")
    async with running(rig):
        callback = await rig.store.until(lambda saved: bool(saved))
    assert (callback.task_id, callback.ended, callback.due) == (task.id, True, None)
    assert "pigeon" in callback.reason


async def test_a_message_that_raises_does_not_delay_others() -> None:
    class Failing(ScriptedNotifier):
        def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
            if task.id == first.id:
                raise KeyError("at")
            return super().message(task, event, following)

    rig = Rig(Failing())
    first = await rig.task("a")
    other = await rig.task("b")
    async with running(rig):
        await rig.store.until(lambda saved: any(callback.task_id == other.id for callback in saved))
    assert (await rig.state(first)).due == 0
    assert set(rig.pauses) == {60.0}


# --- several processes that deliver -----------------------------------------------------------------


class SharedRig(Rig):
    """Another process over the same store and receivers."""

    def __init__(self, other: Rig | None = None) -> None:
        super().__init__(lease=60.0)
        if other:
            self.store, self.notifier = other.store, other.notifier
            self.dispatcher = NotificationDispatcher(
                self.store,
                self.store,
                {"webhook": self.notifier},  # type: ignore[dict-item]  # its send is a method
                self.metrics,
                now=lambda: other.now,
                lease=60.0,
            )


async def test_two_processes_deliver_each_message_once() -> None:
    one = SharedRig()
    other = SharedRig(one)
    tasks = [await one.task(host=str(n), statuses=3) for n in range(20)]
    async with running(one), running(other):
        await one.store.until(caught_up(20))
    assert sorted(one.notifier.sent) == sorted(f"{task.id}:{n}" for task in tasks for n in (1, 2, 3))


async def test_what_a_process_that_died_has_claimed_is_delivered_when_its_claim_has_ended() -> None:
    dead = SharedRig()
    task = await dead.task()
    dead.notifier.gates["https://a/"] = anyio.Event()
    async with running(dead):
        await dead.notifier.until(lambda: len(dead.notifier.sent) == 1)
    dead.notifier.gates.clear()
    other = SharedRig(dead)
    async with running(other):
        await anyio.wait_all_tasks_blocked()
        assert len(dead.notifier.sent) == 1
        dead.now += 61
        other.dispatcher.wake()
        await dead.store.until(caught_up(1))
    assert dead.notifier.sent == [f"{task.id}:1"] * 2


async def test_an_event_whose_notification_was_lost_is_delivered_within_seconds() -> None:
    """Another process committed it."""
    rig, clock = SharedRig(), LoopClock()
    task = await rig.task()
    async with running(rig):
        await rig.store.until(caught_up(1))
        await anyio.wait_all_tasks_blocked()
        later = replace(task, sequence=2, version=task.version + 1)
        await rig.store.commit(later, [an_event(task, 2)])
        await clock.advance(5)
        await rig.store.until(caught_up(2))
    assert rig.notifier.sent == [f"{task.id}:1", f"{task.id}:2"]


async def test_a_claim_is_renewed_with_each_message() -> None:
    rig = SharedRig()
    await rig.task(statuses=2)
    async with running(rig):
        await rig.store.until(caught_up(1))
    assert [callback.due for callback in rig.store.saved] == [int((START + 60) * 1000)] * 2 + [None]
