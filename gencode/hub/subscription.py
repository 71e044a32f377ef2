"""One reader of a task's channel."""

from __future__ import annotations

import structlog

from gencode.domain.errors import StoreError
from gencode.engine.hub import Sink
from gencode.hub.channel import Channel
from gencode.hub.channel_registry import FAREWELL, ChannelRegistry
from gencode.hub.direct_delivery import Cursor

log = structlog.get_logger(__name__)


class ChannelSubscription:
    """See gencode.engine.hub.Subscription. Idle readers are many: each is a few slots, not a generator's frames.

    A store that cannot be read ends the stream with the farewell, too: reconnecting resumes it.
    """

    __slots__ = ("_after", "_channel", "_channels", "_deltas", "_ended", "_last_words", "_place", "_task_id")

    def __init__(self, channels: ChannelRegistry, task_id: str, after: int, deltas: bool) -> None:
        self._channels = channels
        self._task_id = task_id
        self._after = after
        self._deltas = deltas
        self._channel: Channel | None = None
        self._place = Cursor(after, None)
        self._ended = False
        self._last_words = b""

    def __aiter__(self) -> ChannelSubscription:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended:
            channel = self._begun()
            if chunk := channel.read(self._place):
                return chunk
            await self._wait(channel)
        chunk, self._last_words = self._last_words, b""
        if not chunk:
            self._leave()
            raise StopAsyncIteration
        return chunk

    async def attach(self, take: Sink) -> None:
        if self._ended:
            return
        try:
            await self._begun().attach(self._place, take)
        except StoreError as error:
            self._end_early(error)

    async def aclose(self) -> None:
        self._ended, self._last_words = True, b""
        self._leave()

    def _leave(self) -> None:
        if self._channel:
            self._channel = None
            self._channels.leave(self._task_id, self._deltas)

    def _begun(self) -> Channel:
        if not self._channel:
            self._channel = self._channels.enter(self._task_id, self._deltas)
            self._place = self._channel.start(self._after, self._deltas)
        return self._channel

    async def _wait(self, channel: Channel) -> None:
        try:
            if not await channel.more(self._place):
                self._ended, self._last_words = True, channel.last_words
        except StoreError as error:
            self._end_early(error)

    def _end_early(self, error: StoreError) -> None:
        log.warning("an event stream ended early", task_id=self._task_id, reason=error.message)
        self._ended, self._last_words = True, FAREWELL
