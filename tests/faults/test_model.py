"""Rows 1-27 of the fault table, as far as they concern one model call and its retries.

The effects of the same faults on whole tasks are tested in test_generation.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from gencode.domain.errors import GencodeError
from gencode.llm.deadlines import Deadlines
from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest, Message, Usage
from gencode.resilience.retry import Retry
from tests.servers.model import (
    Reply,
    Script,
    chunk,
    http_error,
    json_answer,
    model_server,
    plan_and_files,
    sse,
    stream,
    text,
)
from tests.servers.model_client import ASK, KEY, CollectedAnswer, collect, provider_for
from tests.servers.peer import Act, peer
from tests.servers.ports import closed_port

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
JSON = ChatRequest(messages=ASK.messages, max_tokens=100, json=True)


class Outcome:
    """The result of at most three attempts, with a recorded sleep between them."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.code = ""
        self.message = ""
        self.answer: CollectedAnswer | None = None

    async def of(self, base_url: str, request: ChatRequest = ASK, **options: Any) -> Outcome:
        async with provider_for(base_url, **options) as provider:

            async def attempt() -> CollectedAnswer:
                return await collect(provider, request)

            try:
                self.answer = await Retry(sleep=self._sleep)(attempt)
            except GencodeError as error:
                self.code, self.message = error.code, error.message
        return self

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def outcome(script: Script, request: ChatRequest = ASK, **options: Any) -> tuple[Outcome, int]:
    """The result of a request, and how many requests the server received."""
    async with model_server(script) as server:
        result = await Outcome().of(server.base_url, request, **options)
        return result, len(server.requests)


# --- answers that are errors ------------------------------------------------------------------------


@pytest.mark.fault(1)
@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_bad_request_fails_at_once(status: int) -> None:
    """Row 1."""
    result, calls = await outcome(http_error(status, {"message": "no such field"}))
    assert (result.code, calls) == ("LLM_BAD_REQUEST", 1)
    assert "no such field" in result.message


@pytest.mark.fault(2)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_bad_key_fails_at_once_and_is_redacted(status: int) -> None:
    """Row 2. OpenAI repeats a part of the key in its message."""
    words = f"Incorrect API key provided: {KEY} (sk-te***7e), header 'Bearer {KEY}'"
    result, calls = await outcome(http_error(status, {"message": words, "code": "invalid_api_key"}))
    assert (result.code, calls) == ("LLM_AUTH", 1)
    assert "Incorrect API key provided: [redacted]" in result.message
    assert "sk-te" not in result.message


@pytest.mark.fault(3)
async def test_an_empty_account_fails_at_once() -> None:
    """Row 3."""
    result, calls = await outcome(http_error(402, {"message": "Insufficient Balance"}))
    assert (result.code, calls) == ("LLM_BALANCE", 1)


@pytest.mark.fault(4)
async def test_retry_after_is_the_minimum_wait() -> None:
    """Row 4."""
    result, calls = await outcome(http_error(429, {"message": "slow down"}, {"retry-after": "7"}))
    assert (result.code, calls) == ("LLM_RATE_LIMIT", 3)
    assert len(result.waits) == 2
    assert min(result.waits) >= 7


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    "hours",
    ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "date"],  # the date in the name would differ between test processes
)
async def test_a_retry_after_of_an_hour_fails_instead_of_waiting(hours: str) -> None:
    """Row 5."""
    result, calls = await outcome(http_error(429, {"message": "slow down"}, {"retry-after": hours}))
    assert (result.code, calls, result.waits) == ("LLM_RATE_LIMIT", 1, [])


@pytest.mark.fault(5)
@pytest.mark.parametrize("value", ["soon", "-5", "nan", "1e9", "Sat, 01 Jan 2000 00:00:00 GMT", ""])
async def test_without_a_usable_retry_after_the_waits_last_a_minute_or_more(value: str) -> None:
    """Row 5."""
    result, calls = await outcome(http_error(429, {"message": "slow down"}, {"retry-after": value}))
    assert (result.code, calls) == ("LLM_RATE_LIMIT", 3)
    assert all(20 <= wait <= 75 for wait in result.waits)
    assert sum(result.waits) >= 60


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    "error",
    [
        {"code": "insufficient_quota", "type": "insufficient_quota"},
        {"code": "credit_balance_exhausted"},
        {"code": "billing_hard_limit_reached"},
        {"code": None, "type": "exceeded_current_quota_error"},
        {"code": "spend_limit_exceeded"},
    ],
)
async def test_an_exhausted_quota_fails_at_once(error: dict[str, str]) -> None:
    """Row 6."""
    result, calls = await outcome(http_error(429, {"message": "quota", **error}, {"retry-after": "1"}))
    assert (result.code, calls) == ("LLM_QUOTA", 1)


@pytest.mark.fault(7)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
async def test_a_failing_server_is_called_three_times(status: int) -> None:
    """Row 7."""
    page = f"<html><title>{status}</title><body>\x00gateway is sad</body></html>"
    result, calls = await outcome(http_error(status, page, {"retry-after": "3"}))
    assert (result.code, calls) == ("LLM_UNAVAILABLE", 3)
    assert min(result.waits) >= 3
    assert f"{status} gateway is sad" in result.message


@pytest.mark.fault(7)
async def test_a_server_that_recovers_answers_the_request() -> None:
    """Row 7."""
    result, calls = await outcome([http_error(503), http_error(500), text("hello")])
    assert result.answer
    assert (result.answer.text, calls) == ("hello", 3)


@pytest.mark.fault(8)
@pytest.mark.parametrize("address", ["http://127.0.0.1:{closed}", "http://nowhere.invalid", "{tls}"])
async def test_an_unreachable_server_is_tried_three_times(address: str) -> None:
    """Row 8: refused, no such name, no TLS spoken."""
    async with model_server(text("hello")) as plain:
        tls = plain.base_url.replace("http:", "https:")
        result = await Outcome().of(address.format(closed=closed_port(), tls=tls))
    assert result.code == "LLM_NETWORK"
    assert len(result.waits) == 2


@pytest.mark.fault(8)
async def test_a_connection_that_is_reset_is_tried_three_times() -> None:
    """Row 8: without a content length, a reset looks like a stream without a finish_reason."""
    async with peer(lambda number: [HEAD, sse(chunk({"content": "he"})), Act.RESET]) as server:
        result = await Outcome().of(server.base_url)
    assert (result.code, server.connections) == ("LLM_INCOMPLETE", 3)


# --- streams that stall -----------------------------------------------------------------------------


@pytest.mark.fault(9)
@pytest.mark.parametrize("noise", [b": keep-alive\n\n", b"\n", b"data: \n\n", b'data: {"choices": []}\n\n'])
async def test_keep_alive_comments_do_not_extend_the_first_token_deadline(noise: bytes) -> None:
    """Row 9."""
    deadlines = Deadlines(first_token=0.25)
    result, calls = await outcome(lambda body: Reply(parts=itertools.repeat(noise)), deadlines=deadlines)
    assert (result.code, calls) == ("LLM_TIMEOUT", 3)
    assert "first word did not come within 0.25 s" in result.message


@pytest.mark.fault(9)
async def test_empty_lines_before_a_json_body_do_not_extend_it_either() -> None:
    """Row 9."""

    def script(body: object) -> Reply:
        return Reply(headers={"content-type": "application/json"}, parts=itertools.repeat(b"\n"))

    result, calls = await outcome(script, deadlines=Deadlines(first_token=0.25))
    assert (result.code, calls) == ("LLM_TIMEOUT", 3)
    assert "first word" in result.message


@pytest.mark.fault(9)
async def test_a_server_that_accepts_and_sends_nothing_meets_the_same_deadline() -> None:
    """Row 9."""
    async with peer(lambda number: [Act.STALL]) as server:
        result = await Outcome().of(server.base_url, deadlines=Deadlines(first_token=0.25))
    assert (result.code, server.connections) == ("LLM_TIMEOUT", 3)


@pytest.mark.fault(10)
async def test_empty_lines_before_the_answer_are_ignored() -> None:
    """Row 10, in a stream and as one JSON body."""
    blank = [b"\n", b"\r\n\r\n", b": keep-alive\n\n"]
    result, calls = await outcome([stream(*blank, chunk({"content": "hello"}), chunk({}, "stop"))])
    assert result.answer
    assert (result.answer.text, calls) == ("hello", 1)
    result, calls = await outcome([json_answer("hello", before=[b"\n", b"\r\n\r\n"])])
    assert result.answer
    assert (result.answer.text, result.answer.usage, calls) == ("hello", Usage(prompt=3, completion=2), 1)


@pytest.mark.fault(11)
async def test_a_stall_in_mid_stream_meets_the_idle_deadline() -> None:
    """Row 11."""
    async with peer(lambda number: [HEAD, sse(chunk({"content": "he"})), Act.STALL]) as server:
        result = await Outcome().of(server.base_url, deadlines=Deadlines(idle=0.1))
    assert (result.code, server.connections) == ("LLM_TIMEOUT", 3)
    assert "next word did not come within 0.1 s" in result.message


@pytest.mark.fault(11)
async def test_a_trickle_meets_the_total_deadline() -> None:
    """Row 11: an answer that never ends."""

    def trickle(body: object) -> Reply:
        return Reply(parts=itertools.repeat(sse(chunk({"content": "la "}))))

    result, calls = await outcome(trickle, deadlines=Deadlines(total=0.25), max_bytes=2**40)
    assert (result.code, calls) == ("LLM_TIMEOUT", 3)
    assert "not over after 0.25 s" in result.message


@pytest.mark.fault(12)
@pytest.mark.parametrize("finish", [None, "", "halted", 7])
async def test_a_stream_without_a_known_finish_reason_is_incomplete(finish: Any) -> None:
    """Row 12."""
    async with peer(
        lambda number: [HEAD, sse(chunk({"content": "half"}, finish)), b"data: [DONE]\n\n"]
    ) as server:
        result = await Outcome().of(server.base_url)
    assert (result.code, server.connections) == ("LLM_INCOMPLETE", 3)


@pytest.mark.fault(12)
async def test_a_stream_that_breaks_off_is_incomplete() -> None:
    """Row 12: closed in the middle of a chunk."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    async with peer(lambda number: [head, b'ff\r\ndata: {"choices": [']) as server:
        result = await Outcome().of(server.base_url)
    assert (result.code, server.connections) == ("LLM_INCOMPLETE", 3)


@pytest.mark.fault(13)
async def test_the_done_event_is_optional_after_stop() -> None:
    """Row 13."""
    result, calls = await outcome(text("hello", done=False))
    assert result.answer
    assert (result.answer.text, result.answer.finish, calls) == ("hello", "stop", 1)


@pytest.mark.fault(13)
@pytest.mark.parametrize("end", [Act.STALL, Act.RESET])
async def test_a_failure_after_stop_does_not_affect_the_answer(end: Act) -> None:
    """Row 13: the token counts are lost, not the answer. The wait for them is at most the idle deadline."""
    events = sse(chunk({"content": "hello"})) + sse(chunk({}, "stop"))
    async with peer(lambda number: [HEAD, events, end]) as server:
        result = await Outcome().of(server.base_url, deadlines=Deadlines(idle=0.1))
    assert result.answer
    assert (result.answer.text, server.connections) == ("hello", 1)


# --- streams in odd shapes --------------------------------------------------------------------------


@pytest.mark.fault(14)
async def test_split_utf8_crlf_and_data_without_space_are_read_byte_exact() -> None:
    """Row 14. U+2028 and NEL are line ends to str.splitlines, and text in JSON."""
    content = "é 你好 🙂 \u2028 \u0085 \r\n end"
    event = json.dumps(chunk({"content": content}), ensure_ascii=False)
    half = chunk({"content": "HALF"})
    emoji = [json.dumps(half).replace("HALF", escape) for escape in (r"\ud83d", r"\ude80")]
    lines = [
        f"data:{event}\r\n\r\n",
        *(f"data:{e}\n\n" for e in emoji),
        f"data: {json.dumps(chunk({}, 'stop'))}",
    ]

    def single_bytes(number: int) -> Iterator[bytes]:
        yield HEAD
        yield from (bytes([byte]) for byte in "".join(lines).encode())

    async with peer(single_bytes) as server:
        result = await Outcome().of(server.base_url)
    assert result.answer
    assert (result.answer.text, server.connections) == (content + "🚀", 1)


@pytest.mark.fault(15)
async def test_empty_choices_are_ignored_and_usage_is_counted() -> None:
    """Row 15, as OpenAI and as DeepSeek count."""
    for usage in (
        {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}},
        {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 3},
    ):
        events = [
            {"choices": []},
            chunk({"content": "hi"}),
            chunk({}, "stop"),
            {"choices": [], "usage": usage},
        ]
        result, _ = await outcome(stream({"choices": None, "usage": None}, *events))
        assert result.answer
        assert result.answer.text == "hi"
        assert result.answer.usage == Usage(prompt=9, completion=4, cached=3)


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    ("error", "code", "attempts"),
    [
        ({"error": {"message": "x", "code": 400}}, "LLM_BAD_REQUEST", 1),
        ({"error": {"message": "x", "type": "invalid_request_error"}}, "LLM_BAD_REQUEST", 1),
        ({"error": {"message": "x", "code": "invalid_api_key"}}, "LLM_AUTH", 1),
        ({"error": {"message": "x", "code": 402}}, "LLM_BALANCE", 1),
        ({"error": {"message": "x", "code": "insufficient_quota"}}, "LLM_QUOTA", 1),
        ({"error": {"message": "x", "code": "content_filter"}}, "LLM_REFUSED", 1),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}}, "LLM_RATE_LIMIT", 3),
        ({"error": {"message": "x", "code": "502"}, "choices": []}, "LLM_UNAVAILABLE", 3),
        ({"error": {"message": "x", "type": "server_error"}}, "LLM_UNAVAILABLE", 3),
        ({"error": "x"}, "LLM_UNAVAILABLE", 3),
        ({"object": "error", "message": "x", "code": 400}, "LLM_BAD_REQUEST", 1),
    ],
)
async def test_an_error_within_a_stream_is_what_it_would_be_as_a_response(
    error: dict[str, Any], code: str, attempts: int
) -> None:
    """Row 16."""
    result, calls = await outcome(stream(chunk({"content": "he"}), error, done=False))
    assert (result.code, calls) == (code, attempts)
    assert ": x." in result.message


@pytest.mark.fault(17)
@pytest.mark.parametrize("prefix", ["deepseek", "partial", "none"])
async def test_a_truncated_answer_can_be_continued(prefix: Any) -> None:
    """Row 17: the answer to a request with a prefix is exactly the following text."""
    content = "".join(f"line {n} 你好\n" for n in range(40))
    async with (
        model_server(plan_and_files({"a.py": content}, cut_at=100)) as server,
        provider_for(server.base_url, quirks=Quirks(prefix=prefix)) as provider,
    ):
        messages = (Message(role="user", content="Write this file now: a.py"),)
        text_so_far, finish = "", None
        while finish != "stop":
            answer = await collect(
                provider, ChatRequest(messages=messages, max_tokens=100, prefix=text_so_far)
            )
            text_so_far, finish = text_so_far + answer.text, answer.finish
    assert text_so_far == content
    assert server.completed["file", "a.py"] == len(server.requests) == -(-len(content) // 100)


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    "reply",
    [
        text("I", "content_filter"),
        text("", "refusal"),
        stream(chunk({"refusal": "I cannot "}), chunk({"refusal": "do that"}), chunk({}, "stop")),
        http_error(400, {"message": "I cannot do that", "code": "content_filter"}),
    ],
)
async def test_a_refusal_is_final(reply: Reply) -> None:
    """Row 20."""
    result, calls = await outcome(reply)
    assert (result.code, calls) == ("LLM_REFUSED", 1)


@pytest.mark.fault(21)
async def test_insufficient_system_resource_is_tried_three_times() -> None:
    """Row 21."""
    result, calls = await outcome(text("half", "insufficient_system_resource"))
    assert (result.code, calls) == ("LLM_UNAVAILABLE", 3)


@pytest.mark.fault(22)
@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_json_of_white_space_only_is_tried_three_times(finish: str) -> None:
    """Row 22."""
    result, calls = await outcome(text(" \n\t" * 50, finish), JSON)
    assert (result.code, calls) == ("LLM_BAD_OUTPUT", 3)


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    "line", [b"data: pardon?\n\n", b"data: NaN\n\n", b"data: " + b"[" * 100_000 + b"\n\n"]
)
async def test_events_that_are_not_json_objects_are_tried_three_times(line: bytes) -> None:
    """Row 23, for one call; prose in place of a plan is tested in test_generation."""
    result, calls = await outcome(stream(chunk({"content": "he"}), line))
    assert (result.code, calls) == ("LLM_BAD_OUTPUT", 3)


@pytest.mark.fault(24)
async def test_code_fences_in_an_answer_arrive_unchanged() -> None:
    """Row 24, for one call."""
    content = "````md\n```python\nprint('hi')\n```\n````\n"
    result, _ = await outcome(text(content, size=1))
    assert result.answer
    assert result.answer.text == content


@pytest.mark.fault(25)
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_reasoning_without_an_answer_is_tried_three_times(field: str, finish: str) -> None:
    """Row 25."""
    result, calls = await outcome(
        stream(chunk({field: "hmm", "content": None}), chunk({"content": " "}, finish))
    )
    assert (result.code, calls) == ("LLM_BAD_OUTPUT", 3)
    assert "thinking" in result.message


@pytest.mark.fault(26)
@pytest.mark.parametrize("block", [sse(chunk({"content": "x" * 1000})) * 64, b"no line end " * 5000])
async def test_an_endless_stream_is_closed(block: bytes) -> None:
    """Row 26: one gigabyte of events, or of one line."""
    count = 2**30 // len(block)
    async with peer(lambda number: [HEAD, *itertools.repeat(block, count)]) as server:
        result = await Outcome().of(server.base_url)
    assert (result.code, server.connections) == ("LLM_TOO_LARGE", 1)
    assert server.sent < 2**27


@pytest.mark.fault(26)
async def test_a_gzip_bomb_is_not_inflated() -> None:
    """Row 26, although the request accepts identity only."""
    bomb = gzip.compress(b" " * 2**26)
    head = HEAD.replace(b"connection", b"content-encoding: gzip\r\nconnection")
    async with peer(lambda number: [head, bomb]) as server:
        result = await Outcome().of(server.base_url)
    assert (result.code, server.connections) == ("LLM_TOO_LARGE", 1)
    assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.fault(27)
async def test_an_unsupported_max_tokens_is_replaced_once_and_for_all() -> None:
    """Row 27."""
    error = {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }

    def script(body: dict[str, Any]) -> Reply:
        return http_error(400, error) if "max_tokens" in body else text("hello")

    async with model_server(script) as server, provider_for(server.base_url) as provider:
        assert (await collect(provider)).text == "hello"
        assert (await collect(provider)).text == "hello"
    fields = [sorted(set(seen.body) & {"max_tokens", "max_completion_tokens"}) for seen in server.requests]
    assert fields == [["max_tokens"], ["max_completion_tokens"], ["max_completion_tokens"]]
    assert server.requests[-1].body["max_completion_tokens"] == ASK.max_tokens


@pytest.mark.fault(27)
async def test_a_server_that_rejects_both_fields_is_called_twice() -> None:
    """Row 27."""
    result, calls = await outcome(
        http_error(400, {"message": "max_tokens and all: unsupported", "code": "x"})
    )
    assert (result.code, calls) == ("LLM_BAD_REQUEST", 2)
