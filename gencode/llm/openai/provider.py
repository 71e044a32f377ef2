"""The provider for every OpenAI-compatible chat completions API."""

from __future__ import annotations

import sys
from dataclasses import replace

import httpx

from gencode.domain.event import dump
from gencode.llm.account_limiter import Account
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.errors import PrefixRejected, ProviderError
from gencode.llm.openai.completion_decoder import CompletionDecoder
from gencode.llm.openai.endpoint import completions_url, key_headers
from gencode.llm.openai.quirks import Quirks, rejects_prefix, without_rejected_parameter
from gencode.llm.openai.rejected_token_limit import token_limit
from gencode.llm.openai.request_body import request_body
from gencode.llm.openai.think_block import ModelHabits, UnopenedReasoning
from gencode.llm.ownership_check import OwnershipCheck
from gencode.llm.port import ChatRequest
from gencode.llm.streaming.error_objects import error_in
from gencode.llm.streaming.provider import MAX_BYTES, StreamingProvider
from gencode.observability.metrics import Metrics

_REJECTED = (400, 422, 500)
"""Statuses of a request with a parameter that the server does not know; 500 from servers in Python."""


class OpenAICompatibleProvider(StreamingProvider[CompletionDecoder]):
    """Implements Provider. One call is one attempt, except that a parameter which the model rejects is
    removed, and a token limit above its own is lowered, in this call and all later ones. See
    StreamingProvider."""

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
        self._base_url = base_url
        self._key = api_key
        self._quirks = quirks or Quirks()
        self._habits = ModelHabits(native_prefix=self.native_prefix)
        self._max_tokens = sys.maxsize
        super().__init__(
            name,
            model,
            client=client,
            metrics=metrics,
            deadlines=deadlines,
            account=account,
            max_bytes=max_bytes,
            secrets=(api_key, *self._quirks.headers.values()),
        )

    @property
    def native_prefix(self) -> bool:
        return self._quirks.prefix != "none"

    def _decoder(self, request: ChatRequest) -> CompletionDecoder:
        return CompletionDecoder(request, self._errors, self._habits)

    def _learn(self, decoder: CompletionDecoder, failure: ProviderError | None) -> None:
        known, shown = self._habits, decoder.habits
        reasons_in_text = shown.reasons_in_text or isinstance(failure, UnopenedReasoning)
        self._habits = replace(
            known,
            thinks=known.thinks or shown.thinks,
            reasons_in_text=known.reasons_in_text or reasons_in_text,
        )

    async def _open(
        self, request: ChatRequest, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> tuple[httpx.Response, ChatRequest]:
        """See StreamingProvider; some gateways answer 201 or 202."""
        request = replace(request, max_tokens=min(request.max_tokens, self._max_tokens))
        quirks = self._quirks
        while not (response := await self._post(request, quirks, timer, ownership)).is_success:
            page = await self._error_page(response, timer)
            error = error_in(page) if response.status_code in _REJECTED else {}
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
        url = completions_url(self._base_url, request, quirks)
        content = dump(request_body(self._model, request, quirks))
        return await self._send(url, content, self._headers(quirks), timer, ownership)

    def _headers(self, quirks: Quirks) -> dict[str, str]:
        headers = key_headers(self._base_url, self._key)
        return headers | {name.lower(): value for name, value in quirks.headers.items()}
