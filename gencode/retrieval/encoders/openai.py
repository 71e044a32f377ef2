"""The encoder over an OpenAI-compatible `/embeddings` API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from gencode.llm.errors import LLMBadOutput, LLMBadRequest, LLMTimeout, ProviderError
from gencode.llm.openai.endpoint import endpoint, key_headers
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.resilience.thread_offload import run_on_text
from gencode.retrieval.errors import EncoderMismatch
from gencode.retrieval.port import Encoded, Encoder, EncoderInfo
from gencode.retrieval.records import encodable
from gencode.retrieval.vectors import to_half

ERROR_BYTES = 64 * 1024
MAX_DIMENSIONS = 8_192
"""Of vectors whose dimensions are not known yet."""
BYTES_PER_NUMBER = 32
"""Of an answer, at most, for each number of its vectors; half a megabyte more is allowed for the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingOptions:
    """How an API is called.

    base_url          such as https://api.openai.com/v1
    model             its id there
    dimensions        of its vectors; 0: those of the first vector of each answer, which so tells them
    send_dimensions   ask for that many: some models can shorten their vectors, others refuse the parameter
    version           another one when the model behind the id, or a prefix, changes
    weight            see `EncoderInfo`
    batch             most texts of a request; some providers allow 10
    max_characters    of a text; the rest is not sent
    timeout           seconds for a request with its answer
    query_prefix      before questions, such as "query: " for E5 models
    passage_prefix    before all other texts
    """

    base_url: str
    model: str
    dimensions: int
    key: str = ""
    send_dimensions: bool = False
    version: str = "1"
    weight: float = 0.5
    batch: int = 32
    max_characters: int = 8_000
    timeout: float = 60.0
    query_prefix: str = ""
    passage_prefix: str = ""


class OpenAIEncoder(Encoder):
    """Makes one request for each call. Retries are the caller's: errors are ProviderErrors, as of a model.

    client   see `llm.http_client.model_client`
    """

    def __init__(self, client: httpx.AsyncClient, options: EmbeddingOptions) -> None:
        self._client = client
        self._options = options
        self._errors = ErrorMapper(options.model, [options.key])
        self.batch = options.batch
        self.info = EncoderInfo(
            name=options.model,
            version=options.version,
            dimensions=options.dimensions,
            weight=options.weight,
        )

    async def encode(self, texts: Sequence[str], *, is_query: bool = False) -> Encoded:
        if not 0 < len(texts) <= self.batch:
            raise ValueError(f"{len(texts)} texts: 1 to {self.batch} are allowed")
        try:
            with anyio.fail_after(self._options.timeout):
                page = await self._send(self._body(texts, is_query))
        except TimeoutError:
            raise LLMTimeout(f"{self._options.model} has not answered in time. Try again later.") from None
        return await run_on_text(len(page), self._decoded, page, len(texts))

    def _body(self, texts: Sequence[str], is_query: bool) -> dict[str, Any]:
        options = self._options
        prefix = options.query_prefix if is_query else options.passage_prefix
        # Some servers refuse a blank text.
        cut = (encodable(text[: options.max_characters]).strip() for text in texts)
        inputs = [prefix + (text or ".") for text in cut]
        body = {"model": options.model, "input": inputs, "encoding_format": "float"}
        return {**body, "dimensions": options.dimensions} if options.send_dimensions else body

    async def _send(self, body: dict[str, Any]) -> bytes:
        options = self._options
        request = self._client.build_request(
            "POST",
            endpoint(options.base_url, "embeddings"),
            json=body,
            headers=key_headers(options.base_url, options.key),
            timeout=None,  # `encode` limits the whole
        )
        try:
            response = await self._client.send(request, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise self._errors.from_connect_error(error) from error
        except httpx.InvalidURL as error:
            raise self._errors.wrong_address("the address is not valid") from error
        try:
            if not response.is_success:
                raise self._errors.from_response(response, await _read(response, ERROR_BYTES))
            return await self._read_answer(response, len(body["input"]))
        except httpx.HTTPError as error:
            raise self._errors.from_read_error(error) from error
        finally:
            await response.aclose()

    async def _read_answer(self, response: httpx.Response, texts: int) -> bytes:
        dimensions = self._options.dimensions or MAX_DIMENSIONS
        limit = texts * dimensions * BYTES_PER_NUMBER + 2**19
        page = await _read(response, limit + 1)
        if len(page) > limit:
            raise LLMBadRequest(
                f"{self._options.model} sent more than {limit} bytes for {texts} vectors of"
                f" {dimensions} dimensions. Check the configured dimensions."
            )
        return page

    def _decoded(self, page: bytes, texts: int) -> Encoded:
        try:
            answer = json.loads(page)
            found = {
                int(entry.get("index", number)): entry["embedding"]
                for number, entry in enumerate(answer["data"])
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._unusable("is not a list of embeddings") from None
        if sorted(found) != list(range(texts)):
            raise self._unusable(f"has not one embedding for each of {texts} texts")
        if not all(isinstance(vector, list) for vector in found.values()):
            raise self._unusable("has embeddings that are no lists of numbers")
        try:
            vectors = to_half(
                [found[number] for number in range(texts)], self.info.dimensions or len(found[0])
            )
        except EncoderMismatch as error:
            raise EncoderMismatch(f"{self._options.model}: {error.message}") from None
        return Encoded(vectors=vectors, tokens=_tokens(answer))

    def _unusable(self, what: str) -> ProviderError:
        return LLMBadOutput(f"The answer of {self._options.model} {what}. Check base_url and the model id.")


def _tokens(answer: Any) -> int:
    """Of `usage`; 0 if it has none."""
    usage = answer.get("usage")
    counts = (
        [usage.get(name) for name in ("prompt_tokens", "total_tokens")] if isinstance(usage, dict) else []
    )
    return next((count for count in counts if type(count) is int and 0 < count < 2**53), 0)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, or its first `limit` bytes."""
    page = bytearray()
    async for block in response.aiter_bytes():
        page += block
        if len(page) >= limit:
            break
    return bytes(page[:limit])
