"""The provider for every OpenAI-compatible chat completions API."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import replace

import httpx

from gencode.domain.errors import Transient
from gencode.domain.event import dump
from gencode.llm.account_limiter import Account, until
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.errors import LLMRateLimit, PrefixRejected, ProviderError
from gencode.llm.openai.answer_completeness import BodyEnd
from gencode.llm.openai.body_reader import BodyReader
from gencode.llm.openai.completion_decoder import CompletionDecoder
from gencode.llm.openai.endpoint import completions_url, key_headers
from gencode.llm.openai.error_mapping import ErrorMapper
from gencode.llm.openai.error_objects import error_in
from gencode.llm.openai.quirks import Quirks, rejects_prefix, without_rejected_parameter
from gencode.llm.openai.rejected_token_limit import token_limit
from gencode.llm.openai.request_body import request_body
from gencode.llm.openai.think_block import ModelHabits, UnopenedReasoning
from gencode.llm.ownership_check import OwnershipCheck
from gencode.llm.port import ChatChunk, ChatRequest, OnSend, Usage
from gencode.observability.metrics import Metrics
from gencode.outbound.lazy_transport import BEFORE_SEND

MAX_BYTES = 32 * 2**20  # an event of ~300 bytes per token: some 100,000 tokens


class OpenAICompatibleProvider:
    """Implements Provider. One call is one attempt, except that a parameter which the model rejects is
    removed, and a token limit above its own is lowered, in this call and all later ones.

    name, model  such as "deepseek" and "deepseek-flash"; the metrics are labelled with `name` alone
    client       its timeouts are overridden, its limits are not: allow as many connections as calls
    account      limits concurrent calls and their rate; may be shared by the models of one account
    """

    def __init__(
        self,
        name: str,
        model: str,
        base_url: str,
        api_key: str,
        *,
        client: httpx.AsyncClient,
        metrics: Metrics,
        quirks: Quirks | None = None,
        deadlines: Deadlines | None = None,
        account: Account | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._provider_name = name
        self._model = model
        self._base_url = base_url
        self._key = api_key
        self._client = client
        self._metrics = metrics
        self._quirks = quirks or Quirks()
        self._deadlines = deadlines or Deadlines()
        self._account = account or Account()
        self._habits = ModelHabits(native_prefix=self.native_prefix)
        self._max_tokens = sys.maxsize
        self._max_bytes = max_bytes
        self._errors = ErrorMapper(self.name, (api_key, *self._quirks.headers.values()))

    @property
    def name(self) -> str:
        return f"{self._provider_name}/{self._model}"

    @property
    def native_prefix(self) -> bool:
        return self._quirks.prefix != "none"

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
                        _closed(response),
                        aclosing(self._reader(response, timer)) as reader,
                        aclosing(self._answer(request, reader, timer)) as chunks,
                    ):
                        await self._account.answered()
                        async for chunk in chunks:
                            yield chunk
                except LLMRateLimit as error:
                    raise await self._paused(error) from error.__cause__

    async def _answer(
        self, request: ChatRequest, reader: BodyReader, timer: DeadlineTimer
    ) -> AsyncGenerator[ChatChunk, None]:
        """The chunks of an answer. What the provider has counted is yielded before an error is raised."""
        decoder = CompletionDecoder(request, self._errors, self._habits)
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
        self._learn(decoder.habits, reasons_in_text=isinstance(failure, UnopenedReasoning))
        if failure:
            try:
                raise failure
            finally:  # its traceback refers to this frame, which refers to the request
                del failure, error, unusable
        await reader.drain()

    def _learn(self, shown: ModelHabits, *, reasons_in_text: bool) -> None:
        known = self._habits
        self._habits = replace(
            known,
            thinks=known.thinks or shown.thinks,
            reasons_in_text=known.reasons_in_text or shown.reasons_in_text or reasons_in_text,
        )

    async def _paused(self, error: LLMRateLimit) -> LLMRateLimit:
        """The error with the time until which the account waits."""
        wait = await self._account.rate_limited(error.retry_after)
        return LLMRateLimit(f"{error.message} Rate limited {until(wait)}.", retry_after=wait)

    async def _open(
        self, request: ChatRequest, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> tuple[httpx.Response, ChatRequest]:
        """A response of success (200; some gateways say 201 or 202) with its body unread, and the request as
        it was accepted. Raises the ProviderError for any other status."""
        request = replace(request, max_tokens=min(request.max_tokens, self._max_tokens))
        quirks = self._quirks
        while not (response := await self._post(request, quirks, timer, ownership)).is_success:
            async with _closed(response), aclosing(self._reader(response, timer)) as reader:
                page = await reader.error_page()
            error = error_in(page) if response.status_code in (400, 422) else {}
            if limit := token_limit(error, request.max_tokens):
                request = replace(request, max_tokens=limit.tokens)
                self._max_tokens = min(self._max_tokens, limit.tokens if limit.of_model else self._max_tokens)
            elif reduced := without_rejected_parameter(quirks, error):
                quirks = self._quirks = reduced
            elif request.prefix and rejects_prefix(quirks, error):
                self._quirks = quirks.model_copy(update={"prefix": "none"})
                raise PrefixRejected(f"{self.name} does not complete a prefix. Ask again.")
            else:
                raise self._errors.from_response(response, page)
        return response, request

    async def _post(
        self, request: ChatRequest, quirks: Quirks, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> httpx.Response:
        http_request = self._client.build_request(
            "POST",
            completions_url(self._base_url, request, quirks),
            content=dump(request_body(self._model, request, quirks)),
            headers=self._headers(quirks),
            timeout=httpx.Timeout(None, connect=self._deadlines.connect),  # the timer enforces the others
            extensions={BEFORE_SEND: ownership.check} if ownership else None,
        )
        try:
            return await timer.wait(
                lambda: self._client.send(http_request, stream=True, follow_redirects=False)
            )
        except httpx.HTTPError as error:
            raise self._errors.from_connect_error(error) from error

    def _headers(self, quirks: Quirks) -> dict[str, str]:
        headers = {
            "accept": "text/event-stream",
            "accept-encoding": "identity",
            "content-type": "application/json",
            **key_headers(self._base_url, self._key),
        }
        return headers | {name.lower(): value for name, value in quirks.headers.items()}

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


def _observe(timer: DeadlineTimer, decoder: CompletionDecoder, was_proven: bool) -> None:
    if decoder.is_alive:
        timer.progress()
    if decoder.is_proven != was_proven:
        if was_proven:
            timer.answer_continues()
        else:
            timer.answer_complete()


@asynccontextmanager
async def _closed(response: httpx.Response) -> AsyncIterator[httpx.Response]:
    """Close the response, and break the cycle between it and its stream, which would keep the whole request
    in memory until the garbage collector runs."""
    try:
        async with aclosing(response):
            yield response
    finally:
        response.stream = httpx.ByteStream(b"")
