"""The hub over several processes: each announces to the others what it has published.

What is lost, coalesced or too long is read from the store.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import anyio
import structlog

from gencode.domain.errors import StoreError
from gencode.domain.event import Event, encode
from gencode.engine.ports.hub import Subscription
from gencode.engine.ports.store import Store, TaskQuery
from gencode.hub.in_process import InProcessHub
from gencode.hub.postgres.live_messages import fitting

log = structlog.get_logger(__name__)

EVENTS = "gencode_events"
"""Channel of `TASK_ID SEQUENCE IS_FINAL MESSAGES`: the newest event that was published (1: the task is over)
and the encoded events up to it, if they are short."""
LIVE = "gencode_live"
"""Channel of `TASK_ID SEQUENCE MESSAGE`: a live message and the newest event before it."""
CONTROL = "gencode_control"
"""Channel of `COMMAND TASK_ID`."""
MAX_MESSAGES = 7_700
"""Bytes of messages in a notification; the rest names the task."""
STORE_TIMEOUT = 30.0
"""See TaskChannel. During a failover the store is unavailable for about this long."""
POLL_SECONDS = 1.0
"""Seconds between two polls of the store while no notification arrives."""
CHECK_SECONDS = 15.0
"""The same while they do: a process that was killed after a commit has announced nothing."""
MAX_TASKS = 10_000
"""Tasks whose newest event is remembered."""


class Notifications(Protocol):
    """See gencode.hub.postgres.notifications.PostgresNotifications."""

    handlers: dict[str, Callable[[str], None]]
    on_change: Callable[[], None]
    is_listening: bool

    def send(self, channel: str, payload: str, key: str | None = None) -> None: ...

    def send_droppable(self, channel: str, payload: str) -> None: ...


class PostgresHub:
    """See gencode.engine.ports.hub.Hub. Subscribers of this process are served as by InProcessHub; those of
    others are sent what is published here, or read the store when they have missed something. `run` must run.

    Live messages of other processes may arrive after events that were published later.

    on_publish       called with the events of each commit of this process after they were delivered here
    on_control       to be set: called with the command and the task id of another process's request
    has_subscribers  False for a process without event streams, which then receives no events of others: its
                     subscribers find new events only by polling the store
    """

    def __init__(
        self,
        store: Store,
        notifications: Notifications,
        on_publish: Callable[[Sequence[Event]], None] | None = None,
        has_subscribers: bool = True,
    ) -> None:
        self.on_control: Callable[[str, str], None] = lambda command, task_id: None
        self._store = store
        self._local = InProcessHub(store, on_publish, STORE_TIMEOUT)
        self._notifications = notifications
        self._newest: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        """The newest event of each task published here, and whether the task was over with it."""
        self._has_changed = anyio.Event()
        notifications.handlers[CONTROL] = self._receive_control
        if has_subscribers:
            notifications.handlers.update({EVENTS: self._receive_events, LIVE: self._receive_live})
        notifications.on_change = self._listening_changed

    @property
    def subscribers(self) -> int:
        """Open subscriptions of this process, for the metrics."""
        return self._local.subscribers

    # --- this process -------------------------------------------------------------------------------

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        self._local.publish(events, is_final)
        task_id, newest = events[-1].task_id, events[-1].id
        known, was_final = self._newest.get(task_id, (0, False))
        if newest >= known:
            is_final = is_final or (was_final and newest == known)
            self._remember(task_id, newest, is_final)
            text = _text_if_short(events)
            self._notifications.send(EVENTS, f"{task_id} {newest} {is_final:d} {text}", key=task_id)

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        self._local.publish_live(task_id, data)
        newest, _ = self._newest.get(task_id, (0, False))
        for message in fitting(data, MAX_MESSAGES):
            self._notifications.send_droppable(LIVE, f"{task_id} {newest} {message.decode()}")

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> Subscription:
        return self._local.subscribe(task_id, after, live)

    def close(self) -> None:
        self._local.close()

    def send_control(self, command: str, task_id: str) -> None:
        """Send a request to the other processes. It can be lost: repeat it until its effect is seen."""
        self._notifications.send(CONTROL, f"{command} {task_id}")

    def _remember(self, task_id: str, newest: int, is_final: bool) -> None:
        self._newest[task_id] = newest, is_final
        self._newest.move_to_end(task_id)
        if len(self._newest) > MAX_TASKS:
            self._newest.popitem(last=False)

    # --- other processes ----------------------------------------------------------------------------

    def _receive_events(self, payload: str) -> None:
        task_id, newest, is_final, text = payload.split(" ", 3)
        if channel := self._local.channels.get(task_id):
            messages = [message + b"\n\n" for message in text.encode().split(b"\n\n")[:-1]]
            channel.announce(int(newest), is_final == "1", messages)

    def _receive_live(self, payload: str) -> None:
        task_id, newest, message = payload.split(" ", 2)
        if channel := self._local.channels.get(task_id):
            channel.announce_live(int(newest), message.encode())

    def _receive_control(self, payload: str) -> None:
        command, task_id = payload.split(" ")
        self.on_control(command, task_id)

    # --- polling the store -----------------------------------------------------------------

    def _listening_changed(self) -> None:
        self._has_changed.set()

    async def run(self) -> None:
        """Poll the store for missed events: often while no notifications arrive, once after such a time, and
        rarely otherwise. Until cancelled."""
        while True:
            try:
                await self._poll()
                is_listening = self._notifications.is_listening
            except StoreError as error:
                log.warning("the newest events of followed tasks are unknown", reason=error.message)
                is_listening = False
            with anyio.move_on_after(CHECK_SECONDS if is_listening else POLL_SECONDS):
                await self._has_changed.wait()
            self._has_changed = anyio.Event()

    async def _poll(self) -> None:
        for task_id, channel in list(self._local.channels.items()):
            for task in await self._store.find(TaskQuery(id=task_id, limit=1)):
                channel.announce(task.sequence, task.state.is_terminal)


def _text_if_short(events: Sequence[Event]) -> str:
    """The encoded events, or nothing."""
    text = b"".join(map(encode, events))
    return text.decode() if len(text) <= MAX_MESSAGES else ""
