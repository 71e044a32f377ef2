from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from starlette.responses import JSONResponse, Response

from gencode.domain.errors import Transient
from gencode.llm.errors import LLMAuth, LLMBadOutput, LLMBadRequest, LLMNetwork, LLMRateLimit, ProviderError
from gencode.llm.http_client import model_client
from gencode.retrieval.encoders.openai import EmbeddingOptions, OpenAIEncoder
from gencode.retrieval.errors import EncoderMismatch
from tests.servers.ports import reserve_port
from tests.servers.scripted import Lost, Scripted

PATH = "POST /v1/embeddings"


def answer(*vectors: list[float], **more: Any) -> JSONResponse:
    entries = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return JSONResponse({"data": entries, **more})


@asynccontextmanager
async def encoder(*answers: Response, **options: Any) -> AsyncIterator[tuple[OpenAIEncoder, Scripted]]:
    server = Scripted({PATH: answers})
    async with server.served() as url, model_client() as client:
        settings = {
            "base_url": f"{url}/v1",
            "model": "embed",
            "dimensions": 2,
            "key": "sk-1234567890",
            **options,
        }
        yield OpenAIEncoder(client, EmbeddingOptions(**settings)), server


def floats(vector: bytes) -> list[float]:
    return [round(float(number), 2) for number in np.frombuffer(vector, "<f2")]


async def test_texts_are_sent_in_one_request_and_vectors_have_unit_length() -> None:
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    async with encoder(answer([3, 4], [0, 2], usage=usage)) as (made, server):
        encoded = await made.encode(["软件", " "])
    assert [floats(vector) for vector in encoded.vectors] == [[0.6, 0.8], [0, 1]]
    assert encoded.tokens == 7
    assert json.loads(server.bodies[0]) == {
        "model": "embed",
        "input": ["软件", "."],
        "encoding_format": "float",
    }
    assert server.requests[0].headers["authorization"] == "Bearer sk-1234567890"
    assert made.info.id == "embed:1"


async def test_vectors_are_in_the_order_of_the_texts() -> None:
    data = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]
    async with encoder(JSONResponse({"data": data})) as (made, _):
        encoded = await made.encode(["a", "b"])
    assert [floats(vector) for vector in encoded.vectors] == [[1, 0], [0, 1]]
    assert encoded.tokens == 0


async def test_questions_and_passages_have_their_prefixes() -> None:
    options = {"query_prefix": "query: ", "passage_prefix": "passage: ", "send_dimensions": True}
    async with encoder(answer([1, 0]), max_characters=3, **options) as (made, server):
        await made.encode(["long text"], is_query=True)
        await made.encode(["long text"])
    bodies = [json.loads(body) for body in server.bodies]
    assert [body["input"] for body in bodies] == [["query: lon"], ["passage: lon"]]
    assert bodies[0]["dimensions"] == 2


async def test_half_a_character_does_not_break_the_request() -> None:
    async with encoder(answer([1, 0])) as (made, server):
        await made.encode(["a\ud800b"])
    assert json.loads(server.bodies[0])["input"] == ["a?b"]


@pytest.mark.parametrize("count", [0, 3])
async def test_more_than_a_batch_is_refused(count: int) -> None:
    async with encoder(answer([1, 0]), batch=2) as (made, server):
        with pytest.raises(ValueError, match="1 to 2"):
            await made.encode(["a"] * count)
    assert server.requests == []


@pytest.mark.parametrize(
    "page",
    [
        answer(),
        answer([1, 0]),
        answer([1, 0], [0, 1], [1, 1]),
        JSONResponse({"data": [{"index": 0, "embedding": [1, 0]}, {"index": 5, "embedding": [1, 0]}]}),
        JSONResponse({"data": [1, 2]}),
        JSONResponse([]),
        Response("<html>"),
        Response("[" * 100_000),
    ],
)
async def test_what_is_not_one_vector_for_each_text_is_refused(page: Response) -> None:
    async with encoder(page) as (made, _):
        with pytest.raises(LLMBadOutput):
            await made.encode(["a", "b"])


@pytest.mark.parametrize(
    "page", [answer([1, 0, 0]), answer([0, 0]), Response('{"data": [{"embedding": [NaN, 1]}]}'), answer([])]
)
async def test_vectors_that_cannot_be_compared_are_refused(page: Response) -> None:
    async with encoder(page) as (made, _):
        with pytest.raises(EncoderMismatch, match="embed"):
            await made.encode(["a"])


async def test_vectors_of_other_lengths_are_refused() -> None:
    async with encoder(answer([1, 0], [1, 0, 0])) as (made, _):
        with pytest.raises(EncoderMismatch):
            await made.encode(["a", "b"])


async def test_an_answer_has_a_limited_size() -> None:
    async with encoder(Response(b" " * 2**20)) as (made, _):
        with pytest.raises(LLMBadRequest, match="dimensions"):
            await made.encode(["a"])


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (JSONResponse({"error": {"message": "bad key sk-1234567890"}}, 401), LLMAuth),
        (JSONResponse({"error": {"message": "slow down"}}, 429, {"retry-after": "7"}), LLMRateLimit),
        (Response(status_code=302, headers={"location": "http://elsewhere/"}), LLMBadRequest),
        (Lost(), LLMNetwork),
    ],
)
async def test_errors_are_those_of_a_model(response: Response, error: type[ProviderError]) -> None:
    async with encoder(response) as (made, server):
        with pytest.raises(error) as raised:
            await made.encode(["a"])
    assert "sk-1234567890" not in raised.value.message
    if isinstance(raised.value, LLMRateLimit):
        assert raised.value.retry_after == 7
    assert len(server.requests) == 1


async def test_a_server_that_is_not_there_is_a_transient_error() -> None:
    async with model_client() as client:
        options = EmbeddingOptions(base_url=f"http://127.0.0.1:{reserve_port()}", model="embed", dimensions=2)
        with pytest.raises(Transient):
            await OpenAIEncoder(client, options).encode(["a"])


async def test_dimensions_that_are_not_known_are_those_of_the_first_vector() -> None:
    async with encoder(answer([3, 4, 0]), dimensions=0) as (made, _):
        (vector,) = (await made.encode(["a"])).vectors
    assert floats(vector) == [0.6, 0.8, 0]


@pytest.mark.parametrize("vector", [7, "abc", None, {"0": 1}])
async def test_an_embedding_that_is_no_list_is_refused(vector: Any) -> None:
    body = JSONResponse({"data": [{"embedding": vector}]})
    for dimensions in (0, 2):
        async with encoder(body, dimensions=dimensions) as (made, _):
            with pytest.raises(LLMBadOutput, match="list"):
                await made.encode(["a"])
