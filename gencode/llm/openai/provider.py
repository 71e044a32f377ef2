"""The provider for every OpenAI-compatible chat completions API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing

import anyio
import httpx

from gencode.domain.errors import Transient
from gencode.domain.event import dump
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.openai.body_reader import StreamReader
from gencode.llm.openai.error_mapping import ErrorMapper, error_in
from gencode.llm.openai.event_parser import CompletionParser
from gencode.llm.openai.quirks import Quirks, without_rejected_parameter
from gencode.llm.openai.request_body import completions_url, request_body
from gencode.llm.port import ChatChunk, ChatRequest, OnSend, Usage
from gencode.observability.metrics import Metrics

MAX_BYTES = 32 * 2**20  # an event of ~300 bytes per token: some 100,000 tokens


class OpenAICompatibleProvider:
    """Implements Provider. One call is one attempt, except that a parameter which the model rejects is
    removed, in this call and all later ones.

    name, model  such as "deepseek" and "deepseek-flash"; the metrics are labelled with `name` alone
    client       its timeouts are overridden, its limits are not: allow as many connections as calls
    slots        limits concurrent calls; may be shared by the models of one account
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
        slots: anyio.Semaphore | None = None,
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
        self._slots = slots or anyio.Semaphore(16)
        self._max_bytes = max_bytes
        self._errors = ErrorMapper(self.name, (api_key, *self._quirks.headers.values()))

    @property
    def name(self) -> str:
        return f"{self._provider_name}/{self._model}"

    @property
    def native_prefix(self) -> bool:
        return self._quirks.prefix != "none"

    async def stream(
        self, request: ChatRequest, on_send: OnSend | None = None
    ) -> AsyncGenerator[ChatChunk, None]:
        """See Provider. To stop early, use contextlib.aclosing: the stream has a connection and a slot."""
        async with self._slots:
            if on_send:
                await on_send()
            with closing(DeadlineTimer(self._deadlines)) as timer:
                response = await self._open(request, timer)
                async with aclosing(response):
                    reader = self._reader(response, timer)
                    parser = CompletionParser(request, self._errors)
                    while (text := await _next_text(reader, parser, timer)) is not None:
                        if text:
                            yield ChatChunk(text=text)
                            timer.resume()
                    last = parser.finish()
                    self._record_metrics(timer, last.usage or Usage())
                    yield last
                    await reader.drain()

    async def _open(self, request: ChatRequest, timer: DeadlineTimer) -> httpx.Response:
        """A 200 response with its body unread. Raises the ProviderError for any other status."""
        quirks = self._quirks
        while (response := await self._post(request, quirks, timer)).status_code != 200:
            try:
                page = await self._reader(response, timer).error_page()
            finally:
                await response.aclose()
            rejected = response.status_code == 400
            reduced = without_rejected_parameter(quirks, error_in(page)) if rejected else None
            if reduced is None:
                raise self._errors.from_response(response, page)
            quirks = self._quirks = reduced
        return response

    async def _post(self, request: ChatRequest, quirks: Quirks, timer: DeadlineTimer) -> httpx.Response:
        http_request = self._client.build_request(
            "POST",
            completions_url(self._base_url, request, quirks),
            content=dump(request_body(self._model, request, quirks)),
            headers=self._headers(quirks),
            timeout=httpx.Timeout(None, connect=self._deadlines.connect),  # the timer enforces the others
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
        }
        if self._key:  # local servers need none
            headers["authorization"] = f"Bearer {self._key}"
        return headers | {name.lower(): value for name, value in quirks.headers.items()}

    def _reader(self, response: httpx.Response, timer: DeadlineTimer) -> StreamReader:
        return StreamReader(response, timer, self._max_bytes, self._errors)

    def _record_metrics(self, timer: DeadlineTimer, usage: Usage) -> None:
        self._metrics.model_seconds.labels(self._provider_name).observe(timer.elapsed)
        first_token = timer.first_token or timer.elapsed
        self._metrics.first_token_seconds.labels(self._provider_name).observe(first_token)
        for kind in ("prompt", "completion", "cached"):
            self._metrics.tokens.labels(self._provider_name, kind).inc(getattr(usage, kind))


async def _next_text(reader: StreamReader, parser: CompletionParser, timer: DeadlineTimer) -> str | None:
    """The text of the next read, possibly ""; None after the answer."""
    if parser.done:
        return None
    deltas, was_complete = parser.deltas, parser.is_complete
    try:
        lines = await reader.lines()
    except Transient:
        if was_complete:  # only the token counts are missing
            return None
        raise
    if lines is None:
        return None
    text = parser.feed(lines)
    if parser.deltas > deltas:
        timer.progress()
    if parser.is_complete and not was_complete:
        timer.answer_complete()
    return text
