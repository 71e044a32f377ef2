"""The hub inside one process: a channel for each task that has subscribers. Events are replayed from the
store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.engine.ports.hub import Sink
from gencode.engine.ports.store import Store, TaskQuery
from gencode.hub.task_channel import Cursor, Page, TaskChannel

log = structlog.get_logger(__name__)

CLOSING_MESSAGE = b": the server is restarting; reconnect to go on after the last id\n\n"


class InProcessHub:
    """See gencode.engine.ports.hub.Hub. A channel exists while it has subscribers, and reads the store once
    for all subscribers that do not lag.

    on_publish     called with the events of each commit after they were delivered
    store_timeout  see TaskChannel
    """

    def __init__(
        self,
        store: Store,
        on_publish: Callable[[Sequence[Event]], None] | None = None,
        store_timeout: float = 0.0,
    ) -> None:
        self._store = store
        self._on_publish = on_publish
        self._store_timeout = store_timeout
        self._channels: dict[str, TaskChannel] = {}
        self._is_closed = False

    @property
    def subscribers(self) -> int:
        """Open subscriptions, for the metrics."""
        return sum(channel.subscribers for channel in self._channels.values())

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        if channel := self._channels.get(events[0].task_id):
            channel.publish(events, is_final)
        if self._on_publish:
            self._on_publish(events)

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        if channel := self._channels.get(task_id):
            channel.publish_live(data)

    @property
    def channels(self) -> Mapping[str, TaskChannel]:
        """Those with subscribers, by task id."""
        return self._channels

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> ChannelSubscription:
        return ChannelSubscription(self, task_id, after, live)

    def close(self) -> None:
        self._is_closed = True
        for channel in self._channels.values():
            channel.close(CLOSING_MESSAGE)

    def enter(self, task_id: str, live: bool) -> TaskChannel:
        """The channel, registered before the store is read, so that nothing is missed. Then `leave` once."""
        channel = self._channels.get(task_id) or self._open(task_id)
        channel.subscribers += 1
        channel.live_subscribers += live
        return channel

    def leave(self, task_id: str, live: bool) -> None:
        channel = self._channels[task_id]
        channel.live_subscribers -= live
        channel.subscribers -= 1
        if not channel.subscribers:
            del self._channels[task_id]

    def _open(self, task_id: str) -> TaskChannel:
        channel = self._channels[task_id] = TaskChannel(partial(self._load, task_id), self._store_timeout)
        if self._is_closed:
            channel.close(CLOSING_MESSAGE)
        return channel

    async def _load(self, task_id: str, after: int) -> Page:
        """The task is read first: if it is over, no event can be missed by the second read, and events past
        its sequence show that it was retried in between."""
        found = await self._store.find(TaskQuery(id=task_id, limit=1))
        events, is_last = await self._store.event_page(task_id, after)
        was_retried = bool(events and found and events[-1].id > found[0].sequence)
        is_over = not was_retried and any(task.state.is_terminal for task in found)
        return Page(events=events, is_last=is_last, is_final=is_last and is_over)


class ChannelSubscription:
    """See gencode.engine.ports.hub.Subscription. There are many idle subscriptions: each has a few slots, and
    no generator.

    A store that cannot be read ends the stream with the closing message: reconnecting resumes it.
    """

    __slots__ = (
        "_after",
        "_channel",
        "_cursor",
        "_has_ended",
        "_hub",
        "_last_message",
        "_live",
        "_task_id",
    )

    def __init__(self, hub: InProcessHub, task_id: str, after: int, live: bool) -> None:
        self._hub = hub
        self._task_id = task_id
        self._after = after
        self._live = live
        self._channel: TaskChannel | None = None
        self._cursor = Cursor(after, None)
        self._has_ended = False
        self._last_message = b""

    def __aiter__(self) -> ChannelSubscription:
        return self

    async def __anext__(self) -> bytes:
        while not self._has_ended:
            channel = self._entered()
            if chunk := channel.read(self._cursor):
                return chunk
            await self._wait(channel)
        chunk, self._last_message = self._last_message, b""
        if not chunk:
            self._leave()
            raise StopAsyncIteration
        return chunk

    async def load(self) -> None:
        try:
            await self._entered().load(self._cursor)
        except StoreError as error:
            self._end_early(error)

    async def attach(self, sink: Sink) -> None:
        if self._has_ended:
            return
        try:
            await self._entered().attach(self._cursor, sink)
        except StoreError as error:
            self._end_early(error)

    async def aclose(self) -> None:
        self._has_ended, self._last_message = True, b""
        self._leave()

    def _leave(self) -> None:
        if self._channel:
            self._channel = None
            self._hub.leave(self._task_id, self._live)

    def _entered(self) -> TaskChannel:
        if not self._channel:
            self._channel = self._hub.enter(self._task_id, self._live)
            self._cursor = self._channel.cursor(self._after, self._live)
        return self._channel

    async def _wait(self, channel: TaskChannel) -> None:
        try:
            if not await channel.wait(self._cursor):
                self._has_ended, self._last_message = True, channel.last_message
        except StoreError as error:
            self._end_early(error)

    def _end_early(self, error: StoreError) -> None:
        log.warning("an event stream ended early", task_id=self._task_id, reason=error.message)
        self._has_ended, self._last_message = True, CLOSING_MESSAGE
