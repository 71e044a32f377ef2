"""Takes what tasks' logs say to whoever asked to be told, for as long as it takes.

What is due is asked of the store, a few at a time: a thousand tasks with callbacks are a thousand rows, and
a receiver that is slow or dead holds up nobody but itself.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import anyio
import structlog
from anyio.abc import TaskGroup

from gencode.domain.callback import NOTIFIED_EVENTS, Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.engine.outbox import Outbox
from gencode.engine.store import Store, TaskQuery
from gencode.notifications.notifier import Notifier
from gencode.notifications.sender import Answer, Message, NotSent
from gencode.notifications.url_policy import UrlRefused
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Sleep

log = structlog.get_logger(__name__)

LONGEST_WAIT = 24 * 3600.0
"""Seconds; more is not granted to a receiver that asks for it."""
LOOK_AGAIN = 60.0
"""Seconds after which the store is asked even if nobody said that there is something new."""
STORE_PAUSE = 5.0


class NotificationDispatcher:
    """One per process. `run` is its life; `wake` says that there may be something new.

    at_once    receivers that are called at once
    per_host   of those, how many at one host
    now        seconds since the epoch
    spread     a random part of each wait, from 0 to 1, so that many that failed together come apart
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        notifiers: Mapping[str, Notifier],
        metrics: Metrics,
        at_once: int = 32,
        per_host: int = 4,
        now: Callable[[], float] = time.time,
        spread: Callable[[], float] = random.random,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._voices = notifiers
        self._metrics = metrics
        self._at_once = at_once
        self._per_host = per_host
        self._now = now
        self._spread = spread
        self._sleep = sleep
        self._under_way: dict[str, str] = {}  # task id -> host
        self._news = anyio.Event()

    def wake(self) -> None:
        self._news.set()

    def published(self, events: Sequence[Event]) -> None:
        """To be called after each commit."""
        if any(event.kind in NOTIFIED_EVENTS for event in events):
            self.wake()

    async def run(self) -> None:
        """Until cancelled. What is under way then is told again by the next process."""
        async with anyio.create_task_group() as tg:
            while True:
                self._news = anyio.Event()  # before looking: what comes meanwhile is looked for again
                with anyio.move_on_after(await self._look(tg)):
                    await self._news.wait()

    async def _look(self, tg: TaskGroup) -> float:
        """Begin with what is due. Returns seconds until there is something to do, if nobody wakes us."""
        try:
            found = await self._upcoming()
        except StoreError as error:
            log.warning("callbacks wait for the store", reason=error.message)
            return STORE_PAUSE
        for callback in found:
            wait = (callback.due or 0) / 1000 - self._now()
            if wait > 0:
                return min(wait, LOOK_AGAIN)
            if self._hosts()[callback.host] >= self._per_host:
                return 0  # others may wait behind this host, which is left out from now on
            self._under_way[callback.task_id] = callback.host
            tg.start_soon(self._attend, callback)
        return LOOK_AGAIN  # whoever gives up a place wakes us

    async def _upcoming(self) -> list[Callback]:
        free = self._at_once - len(self._under_way)
        busy = [host for host, count in self._hosts().items() if count >= self._per_host]
        return await self._outbox.next_callbacks(free, list(self._under_way), busy) if free else []

    def _hosts(self) -> Counter[str]:
        return Counter(self._under_way.values())

    async def _attend(self, callback: Callback) -> None:
        """One callback until nothing is left to tell or an attempt fails."""
        try:
            await self._tell(callback)
        except StoreError as error:
            log.warning("a callback waits for the store", task_id=callback.task_id, reason=error.message)
            await self._sleep(STORE_PAUSE)
        except Exception:
            log.exception("a bug keeps a callback from being told", task_id=callback.task_id)
            await self._sleep(LOOK_AGAIN)
        finally:
            del self._under_way[callback.task_id]
            self.wake()

    async def _tell(self, callback: Callback) -> None:
        if notifier := self._voices.get(callback.kind):
            await self._tell_by(notifier, callback)
        else:
            reason = f"this service is not set up for {callback.kind} any more"
            await self._note(replace(callback, due=None, ended=True, reason=reason))

    async def _tell_by(self, notifier: Notifier, callback: Callback) -> None:
        (task,) = await self._store.find(TaskQuery(id=callback.task_id, limit=1))
        events = await self._store.events(task.id, callback.position)
        for event, following in zip(events, [*events[1:], None], strict=True):
            if message := notifier.message(task, event, following):
                callback = await self._deliver(notifier, callback, event, message)
                if callback.failures or callback.ended:
                    return
            callback = replace(callback, position=event.id)
        await self._note(replace(callback, due=None))

    async def _deliver(
        self, notifier: Notifier, callback: Callback, event: Event, message: Message
    ) -> Callback:
        """What is delivered is noted before anything else is sent; what comes in between is sent again."""
        told = log.bind(task_id=event.task_id, event_id=event.id, kind=callback.kind, host=callback.host)
        began = time.perf_counter()
        answer, reason = await _attempt(notifier, callback, message)
        self._metrics.callback_seconds.labels(callback.kind).observe(time.perf_counter() - began)
        after = self._after(notifier, callback, event, answer, reason)
        self._metrics.callback_attempts.labels(callback.kind, _outcome(after)).inc()
        if after.ended:
            told.error("callback given up", reason=after.reason, attempts=after.failures)
        elif after.failures:
            told.warning("callback failed", reason=reason, attempt=after.failures, due=after.due)
        else:
            told.info("callback told")
        await self._note(after)
        return after

    def _after(
        self, notifier: Notifier, callback: Callback, event: Event, answer: Answer | None, reason: str
    ) -> Callback:
        if not reason:
            return replace(callback, position=event.id, failures=0, due=0, reason="")
        failures, waits = callback.failures + 1, notifier.waits
        if answer and answer.status in notifier.gone:
            gone = f"{reason}: it wants to be told no more"
            return replace(callback, failures=failures, due=None, ended=True, reason=gone)
        if failures > len(waits):
            reason = f"given up after {failures} attempts: {reason}"
            return replace(callback, failures=failures, due=None, ended=True, reason=reason)
        wait = waits[failures - 1] * (1 + 0.2 * self._spread())
        asked = min((answer.retry_after if answer else None) or 0.0, LONGEST_WAIT)
        due = int((self._now() + max(wait, asked)) * 1000)
        return replace(callback, failures=failures, due=due, reason=reason)

    async def _note(self, callback: Callback) -> None:
        with anyio.CancelScope(shield=True):
            await self._outbox.save_callback(callback)


async def _attempt(notifier: Notifier, callback: Callback, message: Message) -> tuple[Answer | None, str]:
    """The answer, and why it is not good enough."""
    try:
        answer = await notifier.post(callback.url, message)
    except UrlRefused as error:
        return None, f"the address {error}"
    except NotSent as error:
        return None, f"the receiver {error}"
    except Exception:
        log.exception("a bug kept a callback from being told", task_id=callback.task_id)
        return None, "an unexpected error; the log has it"
    if 200 <= answer.status < 300:
        return answer, ""
    redirected = " and redirects are not followed" if 300 <= answer.status < 400 else ""
    return answer, f"the receiver answered {answer.status}{redirected}"


def _outcome(callback: Callback) -> str:
    return "given_up" if callback.ended else "failed" if callback.failures else "told"
