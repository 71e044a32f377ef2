"""Delivers the events of tasks to their callbacks, in order and at least once.

Callbacks that are due are read from the store, a few at a time, so a thousand tasks with callbacks do not
need a thousand coroutines. A receiver that is slow or down delays only its own callbacks.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest

import anyio
import structlog
from anyio.abc import TaskGroup

from gencode.domain.callback import NOTIFIED_EVENTS, Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.engine.ports.callback_outbox import ANY_TIME, Outbox
from gencode.engine.ports.store import Store, TaskQuery
from gencode.notifications.notifier_protocol import Notifier
from gencode.notifications.sender import Message, NoResponse, Response
from gencode.observability.metrics import Metrics
from gencode.outbound.url_policy import UrlRefused
from gencode.resilience.retry import Sleep

log = structlog.get_logger(__name__)

MAX_WAIT = 24 * 3600.0
"""Seconds; the longest wait that a receiver can ask for by Retry-After."""
POLL_SECONDS = 60.0
"""The longest time between two reads of the store while no event is published."""
SHARED_POLL_SECONDS = 5.0
"""The same where other processes commit events, too: the notification of one may be lost."""
STORE_PAUSE = 5.0
"""Seconds until the next attempt when the store fails."""
MAX_JITTER = 0.2
"""The largest random fraction that is added to a wait, so that deliveries that failed at the same time are
not repeated at the same time."""


class NotificationDispatcher:
    """One per process. `run` runs as long as the process; `wake` is called when there may be a new event.

    concurrency    deliveries at a time
    per_principal  of those, how many for one principal
    per_host       of those, how many to one host, whatever the port
    now            seconds since the epoch
    random         from 0 to 1, for the jitter
    lease          seconds for which a callback is claimed, where several processes deliver; longer than an
                   attempt takes. None: this is the only one

    Without these limits, 120 callbacks of one client to eight ports that never answered delayed another
    client's callback by 42 s.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        notifiers: Mapping[str, Notifier],
        metrics: Metrics,
        concurrency: int = 32,
        per_principal: int = 8,
        per_host: int = 4,
        now: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
        sleep: Sleep = anyio.sleep,
        lease: float | None = None,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._notifiers = notifiers
        self._metrics = metrics
        self._concurrency = concurrency
        self._per_principal = per_principal
        self._per_host = per_host
        self._now = now
        self._random = random
        self._sleep = sleep
        self._lease = lease
        self._poll_seconds = SHARED_POLL_SECONDS if lease else POLL_SECONDS
        self._active: dict[str, Callback] = {}
        """The callbacks that are being delivered, by task id, as they were read."""
        self._woken = anyio.Event()

    def wake(self) -> None:
        self._woken.set()

    def published(self, events: Sequence[Event]) -> None:
        """Must be called after each commit."""
        if any(event.kind in NOTIFIED_EVENTS for event in events):
            self.wake()

    async def run(self) -> None:
        """Run until cancelled. A delivery that is cancelled is repeated by the next process."""
        async with anyio.create_task_group() as tg:
            while True:
                # Replaced before reading: an event that is published meanwhile causes another read.
                self._woken = anyio.Event()
                with anyio.move_on_after(await self._start_due(tg)):
                    await self._woken.wait()

    async def _start_due(self, tg: TaskGroup) -> float:
        """Start the due deliveries. Returns the seconds until the next one is due, unless `wake` is called
        earlier."""
        at = int(self._now() * 1000)
        try:
            while len(self._active) < self._concurrency and (callback := await self._next_due(at)):
                if claimed := await self._claim(callback):
                    self._active[callback.task_id] = claimed
                    tg.start_soon(self._process, claimed)
            following = await self._outbox.next_callbacks(1, list(self._active), due=(at + 1, ANY_TIME[1]))
        except StoreError as error:
            log.warning("callbacks wait for the store", reason=error.message)
            return STORE_PAUSE
        waits = [(callback.due or 0) / 1000 - self._now() for callback in following]
        return max(0.0, min([*waits, self._poll_seconds]))  # a delivery that ends calls `wake`

    async def _next_due(self, at: int) -> Callback | None:
        """A due callback within the limits; callbacks of principals without an active delivery come first."""
        principals = Counter(callback.principal for callback in self._active.values())
        names = Counter(_name(callback) for callback in self._active.values())
        find = partial(
            self._outbox.next_callbacks, 1, list(self._active), _full(names, self._per_host), due=(0, at)
        )
        for excluded in (list(principals), _full(principals, self._per_principal)):
            for callback in await find(exclude_principals=excluded):
                return callback
        return None

    async def _claim(self, callback: Callback) -> Callback | None:
        """None if another process was faster: what it has claimed is due later, and is not found again."""
        if self._lease is None:
            return callback
        until = self._leased_until()
        return replace(callback, due=until) if await self._outbox.claim_callback(callback, until) else None

    def _leased_until(self) -> int:
        """When a callback with undelivered events is due: at once, or when the claim of this process
        expires."""
        return int((self._now() + self._lease) * 1000) if self._lease else 0

    async def _process(self, callback: Callback) -> None:
        """Deliver for one callback until nothing is left to deliver or an attempt fails."""
        try:
            await self._deliver_pending(callback)
        except StoreError as error:
            log.warning("a callback waits for the store", task_id=callback.task_id, reason=error.message)
            await self._sleep(STORE_PAUSE)
        except Exception:
            log.exception("a bug keeps a callback from being delivered", task_id=callback.task_id)
            await self._sleep(POLL_SECONDS)
        finally:
            del self._active[callback.task_id]
            self.wake()

    async def _deliver_pending(self, callback: Callback) -> None:
        notifier = self._notifiers.get(callback.kind)
        if notifier is None:
            reason = f"this service is not set up for {callback.kind} any more"
            await self._save(replace(callback, due=None, ended=True, reason=reason))
            return
        (task,) = await self._store.find(TaskQuery(id=callback.task_id, limit=1))
        events = await self._store.events(task.id, callback.position)
        for event, following in zip_longest(events, events[1:]):
            if message := notifier.message(task, event, following):
                callback = await self._deliver(notifier, callback, event, message)
                if callback.failures or callback.ended:
                    return
            callback = replace(callback, position=event.id)
        await self._save(replace(callback, due=None))

    async def _deliver(
        self, notifier: Notifier, callback: Callback, event: Event, message: Message
    ) -> Callback:
        """The outcome is stored before the next message is sent. A crash in between repeats the message."""
        began = time.perf_counter()
        response, reason = await _attempt(notifier, callback, message)
        self._metrics.callback_seconds.labels(callback.kind).observe(time.perf_counter() - began)
        after = self._after_attempt(notifier, callback, event, response, reason)
        self._metrics.callback_attempts.labels(callback.kind, _outcome(after)).inc()
        _log_outcome(after, event, reason)
        await self._save(after)
        return after

    def _after_attempt(
        self, notifier: Notifier, callback: Callback, event: Event, response: Response | None, reason: str
    ) -> Callback:
        if not reason:
            due = self._leased_until()
            return replace(callback, position=event.id, failures=0, due=due, reason="")
        failures = callback.failures + 1
        if response and response.status in notifier.permanent_statuses:
            reason = f"{reason}: it wants no further messages"
            return replace(callback, failures=failures, due=None, ended=True, reason=reason)
        if failures > len(notifier.retry_delays):
            reason = f"given up after {failures} attempts: {reason}"
            return replace(callback, failures=failures, due=None, ended=True, reason=reason)
        wait = self._wait(notifier.retry_delays[failures - 1], response)
        return replace(callback, failures=failures, due=int((self._now() + wait) * 1000), reason=reason)

    def _wait(self, seconds: float, response: Response | None) -> float:
        """The longer of our own back-off and the receiver's Retry-After."""
        requested = min((response.retry_after if response else None) or 0.0, MAX_WAIT)
        return max(seconds * (1 + MAX_JITTER * self._random()), requested)

    async def _save(self, callback: Callback) -> None:
        with anyio.CancelScope(shield=True):
            await self._outbox.save_callback(callback)


def _name(callback: Callback) -> str:
    return callback.host.rpartition(":")[0]


def _full(active: Counter[str], limit: int) -> list[str]:
    return [one for one, count in active.items() if count >= limit]


async def _attempt(notifier: Notifier, callback: Callback, message: Message) -> tuple[Response | None, str]:
    """The response, and the reason why the attempt failed ("" if it succeeded)."""
    try:
        response = await notifier.send(callback.url, message)
    except UrlRefused as error:
        return None, f"the address {error}"
    except NoResponse as error:
        return None, f"the receiver {error}"
    except Exception:
        log.exception("a bug kept a callback from being delivered", task_id=callback.task_id)
        return None, "an unexpected error; the log has it"
    if 200 <= response.status < 300:
        return response, ""
    redirected = " and redirects are not followed" if 300 <= response.status < 400 else ""
    return response, f"the receiver answered {response.status}{redirected}"


def _outcome(callback: Callback) -> str:
    """A label of the metric gencode_callbacks_total."""
    return "given_up" if callback.ended else "failed" if callback.failures else "told"


def _log_outcome(callback: Callback, event: Event, reason: str) -> None:
    bound = log.bind(task_id=event.task_id, event_id=event.id, kind=callback.kind, host=callback.host)
    if callback.ended:
        bound.warning("callback given up", reason=callback.reason, attempts=callback.failures)
    elif callback.failures:
        bound.warning("callback failed", reason=reason, attempt=callback.failures, due=callback.due)
    else:
        bound.info("callback delivered")
