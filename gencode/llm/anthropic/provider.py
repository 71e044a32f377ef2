"""The provider for Claude."""

from __future__ import annotations

import sys
from dataclasses import replace

import httpx

from gencode.domain.event import dump
from gencode.llm.account_limiter import Account
from gencode.llm.anthropic.message_decoder import MessageDecoder
from gencode.llm.anthropic.message_request import (
    headers,
    lower_limit,
    message_body,
    messages_url,
    rejects_temperature,
)
from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.ownership_check import OwnershipCheck
from gencode.llm.port import ChatRequest
from gencode.llm.streaming.error_objects import error_in
from gencode.llm.streaming.provider import MAX_BYTES, StreamingProvider
from gencode.observability.metrics import Metrics


class AnthropicProvider(StreamingProvider[MessageDecoder]):
    """Implements Provider. A token limit above the model's own is lowered, and a temperature that the model
    does not have is left out, in this call and all later ones. See StreamingProvider.

    temperature  None: the model's own
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
        temperature: float | None = None,
        deadlines: Deadlines | None = None,
        account: Account | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._url = messages_url(base_url)
        self._headers = headers(api_key)
        self._temperature = temperature
        self._max_tokens = sys.maxsize
        super().__init__(
            name,
            model,
            client=client,
            metrics=metrics,
            deadlines=deadlines,
            account=account,
            max_bytes=max_bytes,
            secrets=(api_key,),
        )

    @property
    def native_prefix(self) -> bool:
        """Newer models refuse a request that ends with the beginning of their answer."""
        return False

    def _decoder(self, request: ChatRequest) -> MessageDecoder:
        return MessageDecoder(request, self._errors)

    async def _open(
        self, request: ChatRequest, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> tuple[httpx.Response, ChatRequest]:
        request = replace(request, max_tokens=min(request.max_tokens, self._max_tokens))
        while not (response := await self._post(request, timer, ownership)).is_success:
            page = await self._error_page(response, timer)
            error = error_in(page) if response.status_code == 400 else {}
            if lower := lower_limit(error, request.max_tokens):
                limit, is_of_model = lower
                request = replace(request, max_tokens=limit)
                self._max_tokens = limit if is_of_model else self._max_tokens
            elif self._temperature is not None and rejects_temperature(error):
                self._temperature = None
            else:
                raise self._errors.from_response(response, page)
        return response, request

    async def _post(
        self, request: ChatRequest, timer: DeadlineTimer, ownership: OwnershipCheck | None
    ) -> httpx.Response:
        content = dump(message_body(self._model, request, self._temperature))
        return await self._send(self._url, content, self._headers, timer, ownership)
