"""The OpenAI-compatible provider against a scripted server."""

from __future__ import annotations

import gc
from contextlib import aclosing
from dataclasses import replace

import anyio
import anyio.lowlevel
import httpx
import pytest

from gencode.llm import deadlines
from gencode.llm.account_limiter import Account
from gencode.llm.errors import LLMBadRequest, LLMIncomplete, LLMRateLimit, ProviderError
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.llm.openai.quirks import Quirks
from gencode.llm.openai.think_block import UnopenedReasoning
from gencode.llm.port import ChatChunk, ChatRequest, Message, Usage
from gencode.observability.metrics import Metrics
from tests.servers.model import Reply, chunk, http_error, model_server, stream, text
from tests.servers.model_client import ASK, KEY, FakeTime, collect, provider_for


async def test_the_request_has_key_and_headers_and_accepts_no_compression() -> None:
    quirks = Quirks(headers={"X-Team": "blue"})
    async with model_server(text("hi")) as server, provider_for(server.base_url, quirks=quirks) as provider:
        await collect(provider)
    headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert headers["x-team"] == "blue"


async def test_a_lone_surrogate_in_a_prompt_is_sent_as_a_question_mark() -> None:
    request = ChatRequest(messages=(Message(role="user", content="a\ud800b"),), max_tokens=5)
    async with model_server(text("hi")) as server, provider_for(server.base_url) as provider:
        assert (await collect(provider, request)).text == "hi"
    assert server.requests[0].body["messages"][0]["content"] == "a?b"


async def test_a_large_prompt_is_sent_in_pieces_and_with_its_length(recwarn: pytest.WarningsRecorder) -> None:
    """aiohttp warns of bodies over 1 MiB, which it would write in one turn of the event loop."""
    prompt = "x = 'ä'\n" * 400_000
    request = ChatRequest(messages=(Message(role="user", content=prompt),), max_tokens=5)
    async with model_server(text("hi")) as server, provider_for(server.base_url) as provider:
        assert (await collect(provider, request)).text == "hi"
    assert server.requests[0].body["messages"][0]["content"] == prompt
    assert int(server.requests[0].headers["content-length"]) > len(prompt)
    assert "transfer-encoding" not in server.requests[0].headers
    assert not [warning for warning in recwarn if "large body" in str(warning.message)]


async def test_stopping_early_closes_the_connection() -> None:
    reply = stream(chunk({"content": "a"}), anyio.Event())
    async with model_server(reply) as server, provider_for(server.base_url) as provider:
        async with aclosing(provider.stream(ASK)) as chunks:
            assert await anext(chunks) == ChatChunk(text="a")
            assert len(_connections(provider)) == 1
        assert not _connections(provider)  # at once, not when the garbage collector runs
        await server.drop("chat")
    assert not server.completed


async def test_cancellation_closes_the_connection() -> None:
    reply = stream(chunk({"content": "a"}), anyio.Event())
    async with model_server(reply) as server, provider_for(server.base_url) as provider:
        async with anyio.create_task_group() as tg:
            tg.start_soon(collect, provider)
            await server.arrival("chat")
            tg.cancel_scope.cancel()
        await server.drop("chat")


async def test_a_connection_is_reused() -> None:
    used: list[object] = []
    async with model_server(text("hi")) as server, provider_for(server.base_url) as provider:
        for _ in range(3):
            await collect(provider)
            used += _connections(provider)
    assert len(used) == 3
    assert len(set(used)) == 1


async def test_no_more_calls_than_slots_reach_the_server() -> None:
    gate = anyio.Event()
    async with (
        model_server(text("hi", gate=gate)) as server,
        provider_for(server.base_url, account=Account(2)) as provider,
        anyio.create_task_group() as tg,
    ):
        for _ in range(5):
            tg.start_soon(collect, provider)
        while len(server.requests) < 2:
            await anyio.sleep(0.01)
        await anyio.wait_all_tasks_blocked()
        assert len(server.requests) == 2
        gate.set()
    assert len(server.requests) == 5


async def test_a_pause_of_the_consumer_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, real, ahead = anyio.Event(), anyio.current_time, 0.0
    monkeypatch.setattr(anyio, "current_time", lambda: real() + ahead)
    reply = stream(chunk({"content": "a"}), gate, chunk({"content": "b"}, "stop"))
    async with (
        model_server(reply) as server,
        provider_for(server.base_url) as provider,
        aclosing(provider.stream(ASK)) as chunks,
    ):
        assert (await anext(chunks)).text == "a"
        ahead = 100.0  # more than the idle deadline
        gate.set()
        assert (await anext(chunks)).text == "b"


async def test_after_the_finish_reason_the_wait_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "USAGE_SECONDS", 0.05)
    reply = stream(chunk({"content": "a"}), chunk({}, "stop"), anyio.Event())
    async with model_server(reply) as server, provider_for(server.base_url) as provider:
        assert (await collect(provider)).text == "a"  # although the idle deadline is a minute


async def test_complete_calls_are_measured_under_the_configured_name() -> None:
    metrics = Metrics()
    replies = [text("hi", usage=Usage(prompt=7, completion=5, cached=3)), http_error(400)]
    async with model_server(replies) as server, provider_for(server.base_url, metrics=metrics) as provider:
        await collect(provider)
        with pytest.raises(LLMBadRequest):
            await collect(provider)
    lines = metrics.render().decode().splitlines()
    assert 'gencode_tokens_total{kind="prompt",provider="test"} 7.0' in lines
    assert 'gencode_tokens_total{kind="completion",provider="test"} 5.0' in lines
    assert 'gencode_tokens_total{kind="cached",provider="test"} 3.0' in lines
    assert 'gencode_model_seconds_count{provider="test"} 1.0' in lines
    assert 'gencode_model_first_token_seconds_count{provider="test"} 1.0' in lines


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    async with model_server(text("hi")) as other:
        moved = Reply(status=307, headers={"location": other.base_url})
        async with model_server(moved) as server, provider_for(server.base_url) as provider:
            with pytest.raises(LLMBadRequest, match="base_url"):
                await collect(provider)
    assert not other.requests


async def test_rejected_thinking_fields_are_removed_from_later_calls() -> None:
    def script(body: dict[str, object]) -> Reply:
        error = {"message": "Unrecognized request argument supplied: reasoning_effort"}
        return http_error(400, error) if "reasoning_effort" in body else text("hi")

    quirks = Quirks(thinking={"reasoning_effort": "none"})
    async with model_server(script) as server, provider_for(server.base_url, quirks=quirks) as provider:
        assert (await collect(provider)).text == "hi"
        assert (await collect(provider)).text == "hi"
    assert len(server.requests) == 3


async def test_a_call_leaves_no_reference_cycle_with_its_prompt() -> None:
    """Each call would keep its whole prompt in memory until a garbage collection."""
    replies = [text("hi"), http_error(400), text("half", None)]
    async with model_server(replies) as server, provider_for(server.base_url) as provider:
        gc.collect()
        gc.disable()
        try:
            await collect(provider)
            for kind in (LLMBadRequest, LLMIncomplete):
                with pytest.raises(kind):
                    await collect(provider)
            for _ in range(3):  # the event loop closes the generators that a call left
                await anyio.lowlevel.checkpoint()
            left = [found for found in gc.get_objects() if isinstance(found, httpx.Request | httpx.Response)]
        finally:
            gc.enable()
    assert not left


async def test_a_rate_limit_pauses_the_account_and_tells_until_when() -> None:
    time = FakeTime()
    account = Account(clock=time.clock, sleep=time.sleep)
    limited = http_error(429, {"message": "slow down"}, {"retry-after": "30"})
    async with (
        model_server([limited, text("hi")]) as server,
        provider_for(server.base_url, account=account) as provider,
        provider_for(server.base_url, account=account) as other,
    ):
        with pytest.raises(LLMRateLimit, match=r"slow down\. .* Rate limited until .* UTC\.") as caught:
            await collect(provider)
        assert (await collect(other)).text == "hi"
    assert caught.value.retry_after == 30
    assert time.slept == [30]


async def test_what_was_billed_is_told_before_an_error_is_raised() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    failures: list[Reply] = [
        stream(chunk({"content": "I"}), chunk({}, "content_filter"), {"choices": [], "usage": usage}),
        stream(chunk({"content": "I"}), {"choices": [], "usage": usage}, {"error": {"message": "no"}}),
        stream(chunk({"content": "I"}), {"choices": [], "usage": usage}, done=False),
    ]
    for reply in failures:
        async with model_server(reply) as server, provider_for(server.base_url) as provider:
            assert await _last_usage(provider) == Usage(prompt=9, completion=4)


async def test_a_model_that_reasons_without_an_opening_tag_is_understood_at_the_second_attempt() -> None:
    async with (
        model_server(text("plan of it\n</think>\nx\n")) as server,
        provider_for(server.base_url) as provider,
    ):
        with pytest.raises(UnopenedReasoning):
            await collect(provider)
        assert (await collect(provider)).text == "x\n"


async def test_a_long_response_header_is_accepted() -> None:
    headers = {"content-type": "text/event-stream", "x-long": "x" * 11_000}
    reply = replace(text("hi"), headers=headers)
    async with model_server(reply) as server, provider_for(server.base_url) as provider:
        assert (await collect(provider)).text == "hi"


async def _last_usage(provider: OpenAICompatibleProvider) -> Usage | None:
    """Of a call that fails."""
    usage = None
    try:
        async with aclosing(provider.stream(ASK)) as chunks:
            async for found in chunks:
                usage = found.usage or usage
    except ProviderError:
        return usage
    raise AssertionError("the call did not fail")


def _connections(provider: OpenAICompatibleProvider) -> list[object]:
    """Those in use and those in the pool; neither library has a public attribute for them."""
    connector = provider._client._transport._transport.client.connector  # type: ignore[attr-defined]
    pooled = [connection for pool in connector._conns.values() for connection, _ in pool]
    return [*connector._acquired, *pooled]
