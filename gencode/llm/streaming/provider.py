"""One attempt of a model call, whatever the API: account, deadlines, bounds, errors, metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from enum import Enum
from typing import Generic, Protocol, TypeVar

import httpx

from gencode.domain.errors import Transient
from gencode.llm.account_limiter import Account, until
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.errors import LLMRateLimit, ProviderError
from gencode.llm.ownership_check import OwnershipCheck
from gencode.llm.port import ChatChunk, ChatRequest, OnSend, Usage
from gencode.llm.streaming.body_reader import BodyReader
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.observability.metrics import Metrics
from gencode.outbound.lazy_transport import BEFORE_SEND

MAX_BYTES = 32 * 2**20  # an event of ~300 bytes per token: some 100,000 tokens


class BodyEnd(Enum):
    """How the body of a response ended.

    DONE      by a mark of the API, or as one complete JSON document
    COMPLETE  where its length or its last chunk says that it ends
    CLOSED    with the connection: perhaps in the middle
    BROKEN    by an error or a deadline
    """

    DONE = "done"
    COMPLETE = "complete"
    CLOSED = "closed"
    BROKEN = "broken"


class AnswerDecoder(Protocol):
    """Turns the bytes of one body into chunks. Reads nothing and waits for nothing.

    over       nothing more is to be read
    is_alive   the last block showed that the model is generating
    is_proven  the answer is complete even if nothing more arrives
    """

    @property
    def over(self) -> bool: ...

    @property
    def is_alive(self) -> bool: ...

    @property
    def is_proven(self) -> bool: ...

    def feed(self, block: bytes) -> ChatChunk: ...

    def finish(self, end: BodyEnd) -> tuple[ChatChunk, ProviderError | None]:
        """The last chunk, and why the answer cannot be used, if it cannot. Without a failure, the chunk has a
        finish_reason."""
        ...


D = TypeVar("D", bound=AnswerDecoder)


class StreamingProvider(ABC, Generic[D]):
    """The part of a Provider that all APIs share. One call is one attempt.

    provider_name, model  such as "deepseek" and "deepseek-flash"; the metrics are labelled with the first
    client                its timeouts are overridden, its limits are not: allow as many connections as calls
    account               limits concurrent calls and their rate; may be shared by the models of one account
    secrets               no message contains them
    """

    def __init__(
        self,
        provider_name: str,
        model: str,
        *,
        client: httpx.AsyncClient,
        metrics: Metrics,
        deadlines: Deadlines | None,
        account: Account | None,
        max_bytes: int,
        secrets: tuple[str, ...],
    ) -> None:
        self._provider_name = provider_name
        self._model = model
        self._client = client
        self._metrics = metrics
        self._deadlines = deadlines or Deadlines()
        self._account = account or Account()
        self._max_bytes = max_bytes
        self._errors = ErrorMapper(self.name, secrets)

    @property
    def name(self) -> str:
        return f"{self._provider_name}/{self._model}"

    @property
    def pause(self) -> float:
        return self._account.pause

    async def stream(
        self, request: ChatRequest, on_send: OnSend | None = None
    ) -> AsyncGenerator[ChatChunk, None]:
        """See Provider. To stop early, use contextlib.aclosing: the stream has a connection and a slot."""
        async with self._account.call():
            ownership = OwnershipCheck(on_send) if on_send else None
            if ownership:
                await ownership.check()
            with closing(DeadlineTimer(self._deadlines, in_flight=self._account.in_flight)) as timer:
                try:
                    response, request = await self._open(request, timer, ownership)
                    async with (
                        closed(response),
                        aclosing(self._reader(response, timer)) as reader,
                        aclosing(self._answer(request, reader, timer)) as chunks,
                    ):
                        await self._account.answered()
                        async for chunk in chunks:
                            yield chunk
                except LLMRateLimit as error:
                    raise await self._paused(error) from error.__cause__

    @abstractmethod
    async def _open(
        self, request: ChatRequest, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> tuple[httpx.Response, ChatRequest]:
        """A response of success with its body unread, and the request as it was accepted. Raises the
        ProviderError for any other status."""

    @abstractmethod
    def _decoder(self, request: ChatRequest) -> D:
        """Of the answer to this request."""

    def _learn(self, decoder: D, failure: ProviderError | None) -> None:
        """Notes, at the end of an answer, what it shows of the model."""

    async def _send(
        self,
        url: str,
        content: bytes,
        headers: dict[str, str],
        timer: DeadlineTimer,
        ownership: OwnershipCheck | None,
    ) -> httpx.Response:
        """The response to a POST of JSON, with its body unread."""
        request = self._client.build_request(
            "POST",
            url,
            content=content,
            headers={
                "accept": "text/event-stream",
                "accept-encoding": "identity",
                "content-type": "application/json",
                **headers,
            },
            timeout=httpx.Timeout(None, connect=self._deadlines.connect),  # the timer enforces the others
            extensions={BEFORE_SEND: ownership.check} if ownership else None,
        )
        try:
            return await timer.wait(lambda: self._client.send(request, stream=True, follow_redirects=False))
        except httpx.HTTPError as error:
            raise self._errors.from_connect_error(error) from error

    async def _error_page(self, response: httpx.Response, timer: DeadlineTimer) -> bytes:
        """The body of a response of failure, which is closed."""
        async with closed(response), aclosing(self._reader(response, timer)) as reader:
            return await reader.error_page()

    async def _answer(
        self, request: ChatRequest, reader: BodyReader, timer: DeadlineTimer
    ) -> AsyncGenerator[ChatChunk, None]:
        """The chunks of an answer. What the provider has counted is yielded before an error is raised."""
        decoder = self._decoder(request)
        end, error = BodyEnd.DONE, None
        while not decoder.over:
            proven = decoder.is_proven
            try:
                block = await reader.read()
            except ProviderError as broken:
                end, error = BodyEnd.BROKEN, None if proven and isinstance(broken, Transient) else broken
                break
            if block is None:
                end = BodyEnd.COMPLETE if reader.is_delimited else BodyEnd.CLOSED
                break
            chunk = decoder.feed(block)
            _observe(timer, decoder, proven)
            if chunk.text or chunk.reasoning or chunk.usage or decoder.is_alive:
                yield chunk
                timer.resume()
        last, unusable = decoder.finish(end)
        self._record_metrics(timer, last.usage or Usage(), complete=not (error or unusable))
        yield last
        failure = error or unusable
        self._learn(decoder, failure)
        if failure:
            try:
                raise failure
            finally:  # its traceback refers to this frame, which refers to the request
                del failure, error, unusable
        await reader.drain()

    async def _paused(self, error: LLMRateLimit) -> LLMRateLimit:
        """The error with the time until which the account waits."""
        wait = await self._account.rate_limited(error.retry_after)
        return LLMRateLimit(f"{error.message} Rate limited {until(wait)}.", retry_after=wait)

    def _reader(self, response: httpx.Response, timer: DeadlineTimer) -> BodyReader:
        return BodyReader(response, timer, self._max_bytes, self._errors)

    def _record_metrics(self, timer: DeadlineTimer, usage: Usage, *, complete: bool) -> None:
        """Tokens are counted for every call, times for those that were answered."""
        for kind in ("prompt", "completion", "cached"):
            self._metrics.tokens.labels(self._provider_name, kind).inc(getattr(usage, kind))
        if complete:
            self._metrics.model_seconds.labels(self._provider_name).observe(timer.elapsed)
            first_token = timer.first_token or timer.elapsed
            self._metrics.first_token_seconds.labels(self._provider_name).observe(first_token)


def _observe(timer: DeadlineTimer, decoder: AnswerDecoder, was_proven: bool) -> None:
    if decoder.is_alive:
        timer.progress()
    if decoder.is_proven != was_proven:
        if was_proven:
            timer.answer_continues()
        else:
            timer.answer_complete()


@asynccontextmanager
async def closed(response: httpx.Response) -> AsyncIterator[httpx.Response]:
    """Close the response, and break the cycle between it and its stream, which would keep the whole request
    in memory until the garbage collector runs."""
    try:
        async with aclosing(response):
            yield response
    finally:
        response.stream = httpx.ByteStream(b"")
