"""The adapter for Claude, over sockets: what it sends, and what becomes of each answer and failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gencode.llm.account_limiter import Account
from gencode.llm.anthropic.provider import AnthropicProvider
from gencode.llm.deadlines import Deadlines
from gencode.llm.errors import (
    LLMAuth,
    LLMBadOutput,
    LLMBadRequest,
    LLMBalance,
    LLMIncomplete,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMTooLarge,
    LLMUnavailable,
    ProviderError,
)
from gencode.llm.http_client import model_client
from gencode.llm.port import ChatRequest, Message, Usage
from gencode.observability.metrics import Metrics
from tests.servers.claude import delta, end, events, message, start, text_delta
from tests.servers.model import Body, Reply, Script, http_error, model_server, sse
from tests.servers.model_client import ASK, KEY, FakeTime, collect


@asynccontextmanager
async def claude_for(base_url: str, **options: Any) -> AsyncIterator[AnthropicProvider]:
    time = FakeTime()
    options = {"metrics": Metrics(), "account": Account(clock=time.clock, sleep=time.sleep), **options}
    async with model_client() as client:
        yield AnthropicProvider("claude", "claude-x", base_url, KEY, client=client, **options)


async def failure(script: Script, request: ChatRequest = ASK, **options: Any) -> ProviderError:
    """The error of one attempt, which told first what it cost."""
    async with model_server(script) as server, claude_for(server.base_url, **options) as provider:
        with pytest.raises(ProviderError) as raised:
            await collect(provider, request)
        return raised.value


async def test_the_request_is_of_the_messages_api() -> None:
    request = ChatRequest(
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="system", content="Be polite."),
            Message(role="user", content="Hello?"),
        ),
        max_tokens=100,
        json=True,
        prefix="Hello, my",
    )
    async with model_server(message("friend")) as server:
        async with claude_for(f"{server.base_url}/v1", temperature=0.5) as provider:
            answer = await collect(provider, request)
            assert (provider.name, provider.native_prefix) == ("claude/claude-x", False)
        (seen,) = server.requests
    assert (answer.text, answer.finish) == ("friend", "stop")
    assert answer.usage == Usage(prompt=100, completion=50, cached=20)
    assert seen.path == "/v1/messages"
    sent = {name: seen.headers.get(name) for name in ("x-api-key", "anthropic-version", "authorization")}
    assert sent == {"x-api-key": KEY, "anthropic-version": "2023-06-01", "authorization": None}
    roles = [one["role"] for one in seen.body.pop("messages")]
    assert roles == ["user", "assistant", "user"]
    assert seen.body == {
        "model": "claude-x",
        "max_tokens": 100,
        "stream": True,
        "system": "Be brief.\n\nBe polite.",
        "temperature": 0.5,
    }


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
    ],
)
async def test_ends_of_an_answer(stop: str, finish: str) -> None:
    async with model_server(message("x = 1\n", stop)) as server, claude_for(server.base_url) as provider:
        answer = await collect(provider)
    assert (answer.text, answer.finish) == ("x = 1\n", finish)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (message("I can", "refusal"), LLMRefused),
        (message("", "tool_use"), LLMBadOutput),
        (message("", "a new reason"), LLMIncomplete),
        (message("half a", None), LLMIncomplete),
        (message("", thinking="hm"), LLMBadOutput),
        (events(start(), *end("end_turn"), text_delta("more")), None),
        (events(start(), end("end_turn")[1], text_delta("more")), LLMBadOutput),
        (events(start(), {"type": "content_block_delta", "delta": {"type": "text_delta"}}), LLMBadOutput),
        (events(start(), b"data: [1]\n\n"), LLMBadOutput),
        (events(start(), b"<html>\n\n"), LLMBadOutput),
        (events(b"<html>\n<body>hello</body>\n"), LLMBadRequest),
        (events(b'{"choices": []}\n'), LLMBadRequest),
        (events(start(), {"type": "error", "error": {"type": "overloaded_error"}}), LLMUnavailable),
        (events(start(), {"type": "error", "error": {"type": "api_error"}}), LLMUnavailable),
        (events(start(), {"type": "error", "error": {"type": "rate_limit_error"}}), LLMRateLimit),
    ],
)
async def test_answers_that_cannot_be_used(reply: Reply, error: type[ProviderError] | None) -> None:
    if error is None:  # nothing after the end counts
        async with model_server(reply) as server, claude_for(server.base_url) as provider:
            assert (await collect(provider)).text == ""
    else:
        assert type(await failure(reply)) is error


@pytest.mark.parametrize(
    ("status", "kind", "text", "error"),
    [
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", LLMBalance),
        (400, "invalid_request_error", "messages: at least one message is required", LLMBadRequest),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", LLMBadRequest),
        (401, "authentication_error", f"invalid x-api-key {KEY}", LLMAuth),
        (403, "permission_error", "not allowed", LLMAuth),
        (404, "not_found_error", "model: claude-x", LLMBadRequest),
        (413, "request_too_large", "Request exceeds the maximum size", LLMBadRequest),
        (500, "api_error", "Internal server error", LLMUnavailable),
        (529, "overloaded_error", "Overloaded", LLMUnavailable),
    ],
)
async def test_errors_before_an_answer(status: int, kind: str, text: str, error: type[ProviderError]) -> None:
    told = await failure(http_error(status, {"type": kind, "message": text}))
    assert type(told) is error
    assert KEY not in told.message
    assert not told.may_be_billed


async def test_a_rate_limit_says_when_to_try_again() -> None:
    error = {"type": "rate_limit_error", "message": "This request would exceed your rate limit"}
    told = await failure(http_error(429, error, {"retry-after": "17"}))
    assert (type(told), told.retry_after) == (LLMRateLimit, 17)  # type: ignore[attr-defined]


async def test_thinking_is_reasoning_and_pings_are_nothing() -> None:
    reply = events(
        {"type": "ping"},
        start(),
        delta(type="thinking_delta", thinking="hm"),
        delta(type="signature_delta", signature="c2ln"),
        {"type": "ping"},
        {"type": "a_new_event", "delta": {"text": "nothing"}},
        text_delta("yes"),
        *end("end_turn"),
    )
    async with model_server(reply) as server, claude_for(server.base_url) as provider:
        answer = await collect(provider)
    assert (answer.text, "".join(chunk.reasoning for chunk in answer.chunks)) == ("yes", "hm")


async def test_pings_extend_no_deadline() -> None:
    reply = Reply(parts=(sse({"type": "ping"}) for _ in iter(int, 1)))
    deadlines = Deadlines(first_token=0.05, idle=0.05)
    assert type(await failure(lambda body: reply, deadlines=deadlines)) is LLMTimeout


async def test_an_answer_is_whole_although_the_connection_breaks_after_its_end() -> None:
    reply = events(start(), text_delta("yes"), end("end_turn")[1], b"data: {")
    async with model_server(reply) as server, claude_for(server.base_url) as provider:
        assert (await collect(provider)).text == "yes"


async def test_what_was_billed_is_told_before_an_error() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reply = events(start(Usage(prompt=30, cached=10)), text_delta("half"), error)
    told: list[Usage | None] = []

    async def read(provider: AnthropicProvider) -> None:
        async with aclosing(provider.stream(ASK)) as stream:
            async for chunk in stream:
                told.append(chunk.usage)

    async with model_server(reply) as server, claude_for(server.base_url) as provider:
        with pytest.raises(LLMUnavailable):
            await read(provider)
    assert told[-1] == Usage(prompt=30, completion=1, cached=10)


async def test_tokens_that_are_written_to_the_cache_are_prompt_tokens() -> None:
    counted = {"input_tokens": 3, "cache_creation_input_tokens": 40, "cache_read_input_tokens": 500}
    reply = events(
        {"type": "message_start", "message": {"usage": counted}}, text_delta("yes"), *end("end_turn")
    )
    async with model_server(reply) as server, claude_for(server.base_url) as provider:
        assert (await collect(provider)).usage == Usage(prompt=543, completion=50, cached=500)


async def test_an_answer_that_is_too_long_is_ended_as_it_arrives() -> None:
    told = await failure(message("x" * 300, None), replace(ASK, max_text=100))
    assert type(told) is LLMTooLarge


async def test_a_temperature_that_the_model_does_not_have_is_left_out() -> None:
    def script(body: Body) -> Reply:
        rejection = {
            "type": "invalid_request_error",
            "message": "`temperature` is deprecated for this model.",
        }
        return http_error(400, rejection) if "temperature" in body else message("yes")

    async with model_server(script) as server, claude_for(server.base_url, temperature=0.2) as provider:
        for _ in range(2):
            assert (await collect(provider)).text == "yes"
        assert ["temperature" in seen.body for seen in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens", [8192, 4096, 4096]),
        (
            "input length and `max_tokens` exceed context limit: 196000 + 8192 > 200000, decrease it",
            [8192, 4000, 8192, 4000],
        ),
    ],
)
async def test_a_limit_that_is_too_high_is_lowered(text: str, limits: list[int]) -> None:
    def script(body: Body) -> Reply:
        error = {"type": "invalid_request_error", "message": text}
        return http_error(400, error) if body["max_tokens"] > 4096 else message("yes")

    async with model_server(script) as server, claude_for(server.base_url) as provider:
        for _ in range(2):
            await collect(provider, replace(ASK, max_tokens=8192))
        assert [seen.body["max_tokens"] for seen in server.requests] == limits


async def test_halves_of_an_emoji_in_two_events_are_joined() -> None:
    high = b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a\\ud83d"}}\n\n'
    low = b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\\ude00"}}\n\n'
    reply = events(start(), high, low, *end("end_turn"))
    async with model_server(reply) as server, claude_for(server.base_url) as provider:
        assert (await collect(provider)).text == "a\U0001f600"
