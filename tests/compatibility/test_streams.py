"""Rows S of docs/compatibility.md: how an answer is framed."""

from __future__ import annotations

import gzip
import json

import anyio
import pytest

from tests.compatibility.harness import (
    DONE,
    LINES,
    STOP,
    TEXT,
    Harness,
    Pause,
    Raw,
    data,
    delta,
    deltas,
    encoded,
    plan_of,
)
from tests.servers.model import Reply, json_answer, stream, text
from tests.servers.peer import Act

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOM = b"\xef\xbb\xbf"
JSON = "content-type: application/json\r\n"


@pytest.mark.compatibility("S1")
async def test_a_byte_order_mark_before_a_stream(run: Harness) -> None:
    (await run(data(BOM, *deltas(), STOP, DONE))).delivers()


@pytest.mark.compatibility("S2")
async def test_a_byte_order_mark_before_a_json_body(run: Harness) -> None:
    (await run(json_answer(TEXT, before=[BOM]))).delivers()


@pytest.mark.compatibility("S3")
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
async def test_a_stream_that_is_labelled_otherwise(run: Harness, kind: str) -> None:
    (await run(data(*deltas(), STOP, DONE, headers=f"content-type: {kind}\r\n"))).delivers()


@pytest.mark.compatibility("S4")
@pytest.mark.parametrize("indent", [None, 2])
async def test_a_json_body_that_is_labelled_as_a_stream(run: Harness, indent: int | None) -> None:
    message = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    (await run(data(json.dumps({"choices": [message]}, indent=indent)))).delivers()


@pytest.mark.compatibility("S5")
async def test_pings_with_data_of_their_own(run: Harness) -> None:
    ping = "event: ping\ndata: 2024-04-27 01:35:43.123456+00:00\n\n"
    heartbeat = 'event: heartbeat\ndata: {"error": "none"}\n\n'
    (await run(data(ping, *deltas()[:5], ping, heartbeat, *deltas()[5:], STOP, ping, DONE))).delivers()


@pytest.mark.compatibility("S6")
async def test_comments_and_other_fields_between_events(run: Harness) -> None:
    noise = ": OPENROUTER PROCESSING\n\n:\n\nid: 7\nretry: 3000\n\n"
    (await run(data(noise, *deltas()[:5], noise, *deltas()[5:], STOP, noise, DONE))).delivers()


@pytest.mark.compatibility("S7")
@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"], ids=["CRLF", "CR", "LF"])
async def test_every_line_end_and_a_missing_space(run: Harness, end: bytes) -> None:
    events = [encoded(event) for event in (*deltas(), STOP)]
    lines = [event.replace(b"data: ", b"data:").replace(b"\n", end) for event in events]
    (await run(data(*lines, b"data:[DONE]" + end))).delivers()


@pytest.mark.compatibility("S8")
async def test_events_without_a_blank_line_between_them(run: Harness) -> None:
    events = [encoded(event).replace(b"\n\n", b"\n") for event in (*deltas(), STOP)]
    (await run(data(*events, DONE))).delivers()


@pytest.mark.compatibility("S9")
async def test_a_connection_that_stays_open_after_the_end(run: Harness) -> None:
    (await run(Raw(parts=[*data(*deltas(), STOP, DONE).parts, Act.STALL]))).delivers()


@pytest.mark.compatibility("S10")
async def test_a_file_whose_own_text_is_an_event_stream(run: Harness) -> None:
    stream = 'data: {"choices": []}\n\ndata: [DONE]\n\nevent: error\ndata: not JSON\n'
    content = f"/*\n{stream}*/\n{TEXT}"
    (await run(data(*deltas(content), STOP, DONE))).delivers(content)


@pytest.mark.compatibility("S11")
@pytest.mark.parametrize("end", [DONE + DONE, DONE + b"data: all done\n\n", b"data: [DONE]\r\n", b"[DONE]\n"])
async def test_end_marks_that_are_doubled_or_followed_by_text(run: Harness, end: bytes) -> None:
    (await run(data(*deltas(), STOP, end))).delivers()


@pytest.mark.compatibility("S12")
async def test_events_without_a_choice_or_without_a_delta(run: Harness) -> None:
    filters = {"hate": {"filtered": False, "severity": "safe"}}
    first = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": filters}]}
    late = {"choices": [{"finish_reason": None, "index": 0, "content_filter_results": filters}]}
    (await run(data(first, *deltas()[:5], late, *deltas()[5:], STOP, late, DONE))).delivers()


@pytest.mark.compatibility("S13")
async def test_null_where_a_list_or_an_object_is_expected(run: Harness) -> None:
    nulls = [
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": ""}}], "usage": None, "error": None},
    ]
    (await run(data(*nulls, *deltas(), STOP, *nulls, DONE))).delivers()


@pytest.mark.compatibility("S14")
async def test_a_last_event_that_repeats_the_whole_message(run: Harness) -> None:
    message = {"role": "assistant", "content": TEXT}
    last = {"object": "chat.completion", "choices": [{"finish_reason": "stop", "message": message}]}
    (await run(data(*deltas(), last, DONE))).delivers()


@pytest.mark.compatibility("S15")
async def test_cumulative_content(run: Harness) -> None:
    whole = ["".join(LINES[: n + 1]) for n in range(len(LINES))]
    outcome = await run(data(*[delta(text) for text in whole], STOP, DONE))
    if outcome.status == "completed":
        outcome.delivers()
    else:
        outcome.fails("LLM_BAD_OUTPUT", "repeat", calls=outcome.file_calls())
        assert outcome.file_calls() <= 3


@pytest.mark.compatibility("S16")
async def test_chunks_that_rightly_repeat_each_other(run: Harness) -> None:
    pieces = ["(6", "66", "66", "6", "),\n", "(6", "66", "66", "6", "),\n", "(66", "(66", "6", ");\n"]
    (await run(data(*[delta(piece) for piece in pieces], STOP, DONE))).delivers("".join(pieces))


@pytest.mark.compatibility("S17")
async def test_content_as_a_list_of_parts(run: Harness) -> None:
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "Which tables?"}]}]
    parts = [[{"type": "text", "text": line}] for line in LINES]
    (await run(data(delta(thought), *[delta(part) for part in parts], STOP, DONE))).delivers()


@pytest.mark.compatibility("S18")
async def test_a_response_header_of_eleven_kilobytes(run: Harness) -> None:
    long = f"content-security-policy: {'x' * 11_000}\r\n"
    (await run(data(*deltas(), STOP, DONE, headers=long))).delivers()


@pytest.mark.compatibility("S19")
async def test_one_byte_in_each_packet(run: Harness) -> None:
    content = "-- 表 🚀\n" + LINES[0]
    whole = b"".join(encoded(event) for event in (*deltas(content), STOP)) + DONE
    (await run(data(*[whole[at : at + 1] for at in range(len(whole))]))).delivers(content)


@pytest.mark.compatibility("S20")
async def test_the_whole_answer_in_one_event(run: Harness) -> None:
    content = "".join(f"INSERT INTO t VALUES ({n}, 'row number {n}');\n" for n in range(20_000))
    (await run(data(delta(content, "stop"), DONE))).delivers(content)


@pytest.mark.compatibility("S21")
@pytest.mark.parametrize("headers", ["content-encoding: gzip\r\n", ""], ids=["told", "not told"])
async def test_gzip_although_it_was_not_accepted(run: Harness, headers: str) -> None:
    packed = gzip.compress(b"".join(encoded(event) for event in (*deltas(), STOP)) + DONE)
    (await run(data(packed[:40], packed[40:], headers=headers))).delivers()


@pytest.mark.compatibility("S22")
async def test_a_choice_without_an_index_and_second_choices(run: Harness) -> None:
    unnumbered = [{"choices": [{"delta": {"content": line}}]} for line in LINES]
    second = {"choices": [{"index": 1, "delta": {"content": "DROP TABLE t0;\n"}, "finish_reason": "length"}]}
    (await run(data(*unnumbered[:5], second, *unnumbered[5:], second, STOP, DONE))).delivers()


@pytest.mark.compatibility("S23")
async def test_numbers_that_are_not_json(run: Harness) -> None:
    odd = b'data: {"choices": [{"index": 0, "delta": {}, "logprobs": [NaN, -Infinity, Infinity]}]}\n\n'
    (await run(data(odd, *deltas(), STOP, odd, DONE))).delivers()


@pytest.mark.compatibility("S24")
async def test_a_first_line_that_is_not_understood(run: Harness) -> None:
    """It may have held the file's first line, so the rest is no whole file."""
    damaged = encoded(deltas()[0])[3:]
    outcome = await run(data(damaged, *deltas()[1:], STOP, DONE))
    outcome.fails("LLM_BAD_OUTPUT", "CREATE TABLE t0", calls=3)


@pytest.mark.compatibility("S25")
async def test_a_damaged_event_in_the_middle(run: Harness) -> None:
    damaged = encoded(deltas()[4])[:40] + b"\n\n"
    outcome = await run(data(*deltas()[:4], damaged, *deltas()[5:], STOP, DONE))
    outcome.fails("LLM_BAD_OUTPUT", calls=3)


@pytest.mark.compatibility("S26")
async def test_an_event_of_several_data_lines(run: Harness) -> None:
    """RFC-like framing: the lines of one event are joined by LF before they are parsed."""
    events = [json.dumps(event, indent=1) for event in (*deltas(), STOP)]
    framed = ["".join(f"data: {line}\n" for line in event.splitlines()) + "\n" for event in events]
    (await run(data(*framed, DONE))).delivers()


@pytest.mark.compatibility("S27")
async def test_bare_objects_one_a_line(run: Harness) -> None:
    """Newline-delimited JSON in place of an event stream."""
    lines = [json.dumps(event) + "\n" for event in (*deltas(), STOP)]
    answer = Reply(headers={"content-type": "application/x-ndjson"}, parts=[line.encode() for line in lines])
    (await run(answer)).delivers()


@pytest.mark.compatibility("S28")
async def test_a_role_in_every_event_or_alone(run: Harness) -> None:
    first = delta(role="assistant")
    events = [delta(line, role="assistant") for line in LINES]
    (await run(stream(first, *events, STOP))).delivers()


@pytest.mark.compatibility("S29")
@pytest.mark.parametrize("first", [0, 1])
async def test_an_index_that_counts_the_events(run: Harness, first: int) -> None:
    events = [*deltas(), delta(finish="stop")]
    for number, event in enumerate(events, first):
        event["choices"][0]["index"] = number
    (await run(data(*events, DONE))).delivers()


@pytest.mark.compatibility("S30")
async def test_the_same_piece_as_a_delta_and_as_a_message(run: Harness) -> None:
    said = [{"role": "assistant", "content": line} for line in LINES]
    events = [
        {"choices": [{"index": 0, "delta": one, "message": one, "finish_reason": None}]} for one in said
    ]
    end = {"role": "assistant", "content": ""}
    last = {"choices": [{"index": 0, "delta": end, "message": end, "finish_reason": "stop"}]}
    (await run(data(*events, last, DONE))).delivers()


class Step:
    """A part of an answer that sends nothing: it sets an event, then it waits for one."""

    def __init__(self, sets: anyio.Event, awaits: anyio.Event) -> None:
        self._sets, self._awaits = sets, awaits

    async def wait(self) -> None:
        self._sets.set()
        await self._awaits.wait()


@pytest.mark.compatibility("S31")
async def test_calls_beyond_those_that_the_server_runs_at_once(run: Harness) -> None:
    """The second of two files gets no byte for 200 s, in which the first one is written."""
    second_sent, first_over = anyio.Event(), anyio.Event()
    slow = [part for line in LINES[:4] for part in (delta(line), Pause(seconds=50))]
    first = data(*slow, *deltas("".join(LINES[4:])), STOP, DONE)
    second = data(*deltas(), STOP, DONE)
    answers = [
        Raw(parts=[Step(anyio.Event(), second_sent), *first.parts, Step(first_over, first_over)]),
        Raw(parts=[Step(second_sent, first_over), *second.parts]),
    ]
    outcome = await run(answers, plan=text(json.dumps(plan_of("schema.sql", "other.sql"))))
    outcome.delivers()
    outcome.delivers(path="other.sql")
