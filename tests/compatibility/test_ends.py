"""Rows E of docs/compatibility.md: how an answer says that it is over, and whether it is whole."""

from __future__ import annotations

import pytest

from tests.compatibility.harness import (
    DONE,
    LINES,
    STOP,
    TEXT,
    Harness,
    Pause,
    cut,
    data,
    delta,
    deltas,
)
from tests.servers.model import Body, Reply, http_error, prefix_of, stream, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = "".join(LINES[:4])
REST = "".join(LINES[4:])
BROKEN = ("LLM_INCOMPLETE", "LLM_NETWORK")
NATIVE = {"quirks": {"prefix": "deepseek"}}
LIMIT = 512
FULL = {"choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": LIMIT}}


@pytest.mark.compatibility("E1")
async def test_a_mark_in_every_event_and_a_reset_in_mid_file(run: Harness) -> None:
    (await run(cut(*deltas(HALF, "stop")))).fails(BROKEN, calls=3)


@pytest.mark.compatibility("E2")
@pytest.mark.parametrize("done", [False, True], ids=["end of body", "DONE"])
async def test_a_mark_in_every_event_of_a_whole_answer(run: Harness, done: bool) -> None:
    (await run(stream(*deltas(finish="stop"), done=done))).delivers()


@pytest.mark.compatibility("E3")
async def test_a_mark_in_every_event_and_a_pause_in_mid_file(run: Harness) -> None:
    paused = data(*deltas(HALF, "stop"), Pause(seconds=7), *deltas(REST, "stop"), DONE)
    (await run(paused)).delivers()


@pytest.mark.compatibility("E4")
@pytest.mark.parametrize("mark", ["stop", "length"])
async def test_text_after_the_mark(run: Harness, mark: str) -> None:
    early = [*deltas(HALF), delta(finish=mark)]
    (await run(stream(*early, *deltas(REST), STOP))).delivers()


@pytest.mark.compatibility("E5")
async def test_text_after_the_mark_and_no_second_mark(run: Harness) -> None:
    early = [*deltas(HALF), delta(finish="stop")]
    (await run(cut(*early, *deltas(REST)[:2]))).fails(BROKEN, calls=3)


@pytest.mark.compatibility("E6")
async def test_a_reset_after_the_mark(run: Harness) -> None:
    (await run(cut(*deltas(), STOP))).delivers()


@pytest.mark.compatibility("E7")
@pytest.mark.parametrize("reason", ["eos", "eos_token", "end_turn", "STOP", "stop_sequence", "COMPLETE"])
async def test_other_names_of_stop(run: Harness, reason: str) -> None:
    (await run(stream(*deltas(), delta(finish=reason)))).delivers()


@pytest.mark.compatibility("E8")
@pytest.mark.parametrize(
    "reason",
    ["model_length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_context_window_exceeded"],
)
async def test_other_names_of_length(run: Harness, reason: str) -> None:
    replies = [stream(*deltas(HALF), delta(finish=reason)), text(REST)]
    (await run(replies, provider=NATIVE)).delivers(calls=2)


@pytest.mark.compatibility("E9")
@pytest.mark.parametrize("reason", ["abort", "error", "network_error", "insufficient_system_resource", "???"])
async def test_reasons_that_say_it_broke_off(run: Harness, reason: str) -> None:
    outcome = await run(stream(*deltas(HALF), delta(finish=reason)))
    outcome.fails(("LLM_INCOMPLETE", "LLM_UNAVAILABLE"), calls=3)


@pytest.mark.compatibility("E10")
@pytest.mark.parametrize("reason", ["content_filter", "sensitive", "SAFETY", "refusal"])
async def test_a_filter_that_strikes_in_mid_file(run: Harness, reason: str) -> None:
    outcome = await run(stream(*deltas(HALF), delta(finish=reason)))
    outcome.fails("LLM_REFUSED", "Change the prompt", calls=1)


@pytest.mark.compatibility("E11")
@pytest.mark.parametrize(
    "body", [b"", b"\n\n", DONE, b": ping\n\n"], ids=["nothing", "blank", "DONE", "comment"]
)
async def test_an_empty_answer_with_status_200(run: Harness, body: bytes) -> None:
    (await run(data(body))).fails(("LLM_INCOMPLETE", "LLM_BAD_OUTPUT"), calls=3)


@pytest.mark.compatibility("E12")
async def test_no_mark_at_all(run: Harness) -> None:
    (await run(data(*deltas(HALF)))).fails("LLM_INCOMPLETE", calls=3)


@pytest.mark.compatibility("E13")
@pytest.mark.parametrize("prefix", ["deepseek", "none"])
async def test_stop_where_the_token_limit_was_reached(run: Harness, prefix: str) -> None:
    """The limit ended the answer and the server says that the model did."""

    def answer(body: Body) -> Reply:
        written = prefix_of(body)
        return text(TEXT.removeprefix(written)) if written else stream(*deltas(HALF), STOP, FULL)

    outcome = await run(answer, provider={"quirks": {"prefix": prefix}}, max_output_tokens=LIMIT)
    outcome.delivers(calls=2)


@pytest.mark.compatibility("E14")
async def test_length_without_text(run: Harness) -> None:
    """The model's window is full: each further call would be paid for and bring nothing."""
    replies = [stream(*deltas(HALF), delta(finish="length")), stream(delta(finish="length"))]
    (await run(replies, provider=NATIVE)).fails("LLM_TRUNCATED", "window", "smaller files", calls=2)


@pytest.mark.compatibility("E15")
async def test_tool_calls_in_place_of_text(run: Harness) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "write_file", "arguments": "{}"}}
    outcome = await run(stream(delta(tool_calls=[call]), delta(finish="tool_calls")))
    outcome.fails("LLM_BAD_OUTPUT", "tool", calls=3)


@pytest.mark.compatibility("E16")
@pytest.mark.parametrize("mark", ["", "null", "None"])
async def test_an_empty_mark_in_every_event(run: Harness, mark: str) -> None:
    (await run(stream(*deltas(finish=mark), STOP))).delivers()


@pytest.mark.compatibility("E17")
async def test_an_empty_mark_in_every_event_of_a_broken_answer(run: Harness) -> None:
    (await run(cut(*deltas(HALF, "")))).fails(BROKEN, calls=3)


@pytest.mark.compatibility("E20")
async def test_the_window_cuts_a_plan(run: Harness) -> None:
    full = {"choices": [], "usage": {"prompt_tokens": 3900, "completion_tokens": 196}}
    outcome = await run([], plan=stream(delta('{"summary": "A project'), delta(finish="length"), full))
    outcome.fails("LLM_TRUNCATED", "window is full", "after 196 tokens", calls=0)
    assert outcome.file_calls("") == 1


@pytest.mark.compatibility("E21")
async def test_a_continuation_exceeds_the_window(run: Harness) -> None:
    words = "request (2090 tokens) exceeds the available context size (2048 tokens), try increasing it"
    refused = http_error(400, {"message": words, "type": "exceed_context_size_error", "code": 400})
    outcome = await run([text(HALF, "length"), refused])
    outcome.fails("LLM_TRUNCATED", words, "window is full", "smaller files", calls=2)


@pytest.mark.compatibility("E18")
async def test_stop_within_an_open_code_fence(run: Harness) -> None:
    """The evidence disagrees: the fence around the file was opened and not closed."""
    replies = [text(f"```sql\n{HALF}"), text(f"```sql\n{TEXT}```\n"), text(TEXT)]
    outcome = await run(replies)
    outcome.delivers(calls=2)


@pytest.mark.compatibility("E19")
async def test_length_in_every_event_and_a_reset_in_mid_file(run: Harness) -> None:
    """What has arrived is sound, and more was to come in any case."""
    replies = [cut(*deltas(HALF, "length")), text(REST)]
    (await run(replies, provider=NATIVE)).delivers(calls=2)
