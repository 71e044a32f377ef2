"""Any model behind the OpenAI-compatible chat completions API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing

import anyio
import httpx

from gencode.domain.errors import Transient
from gencode.domain.event import dump
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.openai.completion_parser import CompletionParser
from gencode.llm.openai.error_mapping import ErrorMapper, error_in
from gencode.llm.openai.quirks import Quirks, adapt
from gencode.llm.openai.request_body import body, url
from gencode.llm.openai.stream_reader import StreamReader
from gencode.llm.port import ChatChunk, ChatRequest, Usage
from gencode.observability.metrics import Metrics

MAX_BYTES = 32 * 2**20  # an event of ~300 bytes per token: some 100,000 tokens


class OpenAICompatibleProvider:
    """Implements Provider. One call is one attempt; only a parameter that the model does not know is
    replaced, at once and for good.

    name, model  "deepseek" and "deepseek-flash"; the metrics are labelled with `name` alone
    client       its timeouts are overridden, its limits are not: allow as many connections as calls
    slots        calls at once; may be shared by the models of one account
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
        self._label = name
        self._model = model
        self._base_url = base_url
        self._key = api_key
        self._client = client
        self._metrics = metrics
        self._quirks = quirks or Quirks()
        self._deadlines = deadlines or Deadlines()
        self._slots = slots or anyio.Semaphore(16)
        self._max_bytes = max_bytes
        self._failures = ErrorMapper(self.name, (api_key, *self._quirks.headers.values()))

    @property
    def name(self) -> str:
        return f"{self._label}/{self._model}"

    @property
    def native_prefix(self) -> bool:
        return self._quirks.prefix != "none"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """See Provider. Leave early only through contextlib.aclosing: it holds a connection and a slot."""
        async with self._slots:
            with closing(DeadlineTimer(self._deadlines)) as watch:
                response = await self._open(request, watch)
                async with aclosing(response):
                    reader = self._reader(response, watch)
                    answer = CompletionParser(request, self._failures)
                    while (text := await _next(reader, answer, watch)) is not None:
                        if text:
                            yield ChatChunk(text=text)
                            watch.resume()
                    last = answer.end()
                    self._observe(watch, last.usage or Usage())
                    yield last
                    await reader.drain()

    async def _open(self, request: ChatRequest, watch: DeadlineTimer) -> httpx.Response:
        """A 200 response, its body unread; any other status raises."""
        quirks = self._quirks
        while (response := await self._post(request, quirks, watch)).status_code != 200:
            try:
                page = await self._reader(response, watch).error_page()
            finally:
                await response.aclose()
            adapted = adapt(quirks, error_in(page)) if response.status_code == 400 else None
            if adapted is None:
                raise self._failures.of_response(response, page)
            quirks = self._quirks = adapted
        return response

    async def _post(self, request: ChatRequest, quirks: Quirks, watch: DeadlineTimer) -> httpx.Response:
        post = self._client.build_request(
            "POST",
            url(self._base_url, request, quirks),
            content=dump(body(self._model, request, quirks)),
            headers=self._headers(quirks),
            timeout=httpx.Timeout(None, connect=self._deadlines.connect),  # the watch does the rest
        )
        try:
            return await watch.wait(lambda: self._client.send(post, stream=True, follow_redirects=False))
        except httpx.HTTPError as error:
            raise self._failures.of_connecting(error) from error

    def _headers(self, quirks: Quirks) -> dict[str, str]:
        headers = {
            "accept": "text/event-stream",
            "accept-encoding": "identity",
            "content-type": "application/json",
        }
        if self._key:  # servers on one's own machine have none
            headers["authorization"] = f"Bearer {self._key}"
        return headers | {name.lower(): value for name, value in quirks.headers.items()}

    def _reader(self, response: httpx.Response, watch: DeadlineTimer) -> StreamReader:
        return StreamReader(response, watch, self._max_bytes, self._failures)

    def _observe(self, watch: DeadlineTimer, usage: Usage) -> None:
        self._metrics.model_seconds.labels(self._label).observe(watch.elapsed)
        self._metrics.first_token_seconds.labels(self._label).observe(watch.first or watch.elapsed)
        for kind in ("prompt", "completion", "cached"):
            self._metrics.tokens.labels(self._label, kind).inc(getattr(usage, kind))


async def _next(reader: StreamReader, answer: CompletionParser, watch: DeadlineTimer) -> str | None:
    """The text of the next read, maybe ""; None once the answer is over."""
    if answer.over:
        return None
    signs, finished = answer.signs, answer.finished
    try:
        lines = await reader.lines()
    except Transient:
        if finished:  # the answer is whole, only the count of its tokens is missing
            return None
        raise
    if lines is None:
        return None
    text = answer.take(lines)
    if answer.signs > signs:
        watch.progress()
    if answer.finished and not finished:
        watch.closing()
    return text
