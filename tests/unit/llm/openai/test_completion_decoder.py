"""Events of a completion, in all shapes that servers give them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gencode.llm.errors import LLMBadOutput, LLMBadRequest, LLMIncomplete, LLMRefused
from gencode.llm.port import Usage
from gencode.llm.streaming.provider import BodyEnd
from tests.unit.llm.openai.decoding import ASK, DONE, JSON, STOP, decode, event, new_decoder, text


def test_text_is_returned_as_it_arrives_and_signs_of_life_are_seen() -> None:
    decoder = new_decoder()
    decoder.feed(b": hi\n\n" + event({"role": "assistant", "content": ""}))
    assert not decoder.is_alive
    chunk = decoder.feed(event({"reasoning_content": "hm"}) + text("a") + text("b"))
    assert (chunk.reasoning, chunk.text, decoder.is_alive) == ("hm", "ab", True)
    assert not decoder.is_proven
    assert decoder.feed(STOP).text == ""
    assert decoder.is_proven
    assert decoder.finish(BodyEnd.BROKEN)[0].finish_reason == "stop"


def test_what_follows_done_is_ignored() -> None:
    assert decode(text("a") + STOP + b"data:[DONE]\n" + text("b"), text("c")).text == "a"


def test_malformed_fields_are_ignored() -> None:
    odd = [
        b'data: {"choices": [null, 7, {"index": 1, "delta": {"content": "second choice"}}]}\n',
        b'data: {"choices": "none", "usage": "many"}\n',
        event({"content": None, "role": 7}),
        event(None),
        text("x", ""),
        event(
            {}, "stop", usage={"prompt_tokens": "9", "completion_tokens": None, "prompt_tokens_details": 4}
        ),
    ]
    answer = decode(*odd)
    assert (answer.text, answer.usage) == ("x", None)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"role": "assistant", "content": "x", "reasoning_content": None},
        {"content": ["x"]},
        {"content": [{"type": "text", "text": "x"}]},
        {"content": [{"text": "x"}]},
        {"content": {"type": "text", "text": "x"}},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "x"},
            ]
        },
        "x",
    ],
)
def test_content_in_every_shape_is_text(delta: Any) -> None:
    assert decode(event(delta), STOP).text == "x"
    assert (
        decode(event(None).replace(b'"delta": null', b'"message": ' + json.dumps(delta).encode()), STOP).text
        == "x"
    )


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
        {"thinking": "hm", "content": ""},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "reasoning", "text": "hm"}]},
    ],
)
def test_reasoning_in_every_shape_is_no_text(delta: Any) -> None:
    answer = decode(event(delta), text("x"), STOP)
    assert (answer.reasoning, answer.text) == ("hm", "x")


def test_fields_of_other_names_are_signs_of_life() -> None:
    decoder = new_decoder()
    decoder.feed(event({"content": "", "inner_monologue": "hm"}))
    assert decoder.is_alive


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        (
            [event({}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 4})],
            Usage(prompt=9, completion=4),
        ),
        (
            [
                event({}, "stop").replace(
                    b'"index"', b'"usage": {"prompt_tokens": 9, "completion_tokens": 4}, "index"'
                )
            ],
            Usage(prompt=9, completion=4),
        ),
        (
            [event({}, "stop", x_groq={"usage": {"prompt_tokens": 9, "completion_tokens": 4}})],
            Usage(prompt=9, completion=4),
        ),
        ([event({}, "stop", prompt_eval_count=9, eval_count=4)], Usage(prompt=9, completion=4)),
        (
            [event({}, "stop", timings={"prompt_n": 6, "cache_n": 3, "predicted_n": 4})],
            Usage(prompt=9, completion=4, cached=3),
        ),
        (
            [event({}, "stop", usage={"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": 3})],
            Usage(prompt=9, completion=4, cached=3),
        ),
        ([event({}, "stop", usage={"prompt_tokens": 0, "completion_tokens": 0})], None),
        ([event({}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 0})], None),
    ],
)
def test_usage_is_found_where_it_is(events: list[bytes], usage: Usage | None) -> None:
    assert decode(text("x"), *events).usage == usage


def test_a_growing_usage_is_known_before_the_end() -> None:
    decoder = new_decoder()
    for n in (1, 2):
        chunk = decoder.feed(text("x", usage={"prompt_tokens": 1, "completion_tokens": n}))
        assert chunk.usage == Usage(prompt=1, completion=n)
    last, error = decoder.finish(BodyEnd.BROKEN)
    assert isinstance(error, LLMIncomplete)
    assert last.usage == Usage(prompt=1, completion=2)


def test_what_arrived_before_a_failure_in_the_same_block_is_not_lost() -> None:
    decoder = new_decoder()
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    chunk = decoder.feed(text("x", usage=usage) + b'data: {"error": {"message": "no", "code": 400}}\n\n')
    assert (chunk.text, chunk.usage, decoder.over) == ("x", Usage(prompt=1, completion=2), True)
    assert isinstance(decoder.finish(BodyEnd.DONE)[1], LLMBadRequest)


def test_halves_of_a_surrogate_pair_are_joined() -> None:
    answer = decode(text("a\ud83d"), text("\ude80b"), STOP)
    assert (answer.text, answer.chunks[0]) == ("a🚀b", "a")


def test_a_lone_half_is_replaced_in_prose_and_refused_elsewhere() -> None:
    answer = decode(text("a\ud83d"), text("b"), STOP, request=replace(JSON, json=False, prose=True))
    assert answer.text == "a\ufffdb"
    with pytest.raises(LLMBadOutput, match="damaged"):
        decode(text("a\ud83d"), text("b"), STOP)


@pytest.mark.parametrize("delta", [{"tool_calls": [{"id": "1"}]}, {"function_call": {"name": "x"}}])
def test_a_tool_call_is_rejected(delta: Any) -> None:
    with pytest.raises(LLMBadOutput, match="tool"):
        decode(event(delta), STOP)


def test_a_blank_answer_is_rejected_only_if_json_was_requested() -> None:
    assert decode(text(" "), STOP).text == " "
    with pytest.raises(LLMBadOutput, match="blanks"):
        decode(text(" "), STOP, request=JSON)
    assert decode(text(" "), STOP, request=replace(JSON, prefix='{"files": []')).text == " "


def test_a_continuation_that_ends_without_text_shows_it() -> None:
    """The window is full: whoever asked for the continuation can tell."""
    request = replace(ASK, prefix="so far")
    for reasoning in ("", "hm"):
        answer = decode(event({"reasoning_content": reasoning}), event({}, "length"), request=request)
        assert (answer.text, answer.finish) == ("", "length")


def test_an_unknown_finish_reason_is_shown_in_one_short_line() -> None:
    with pytest.raises(LLMIncomplete) as caught:
        decode(text("x"), event({}, "odd\n" * 500))
    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("reason", ["stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence"])
def test_all_words_for_stop(reason: str) -> None:
    assert decode(text("x"), event({}, reason)).finish == "stop"


@pytest.mark.parametrize("reason", ["length", "MAX_TOKENS", "model_length", "max_output_tokens"])
def test_all_words_for_length(reason: str) -> None:
    assert decode(text("x"), event({}, reason)).finish == "length"


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "refusal", "sensitive"])
def test_all_words_for_a_refusal(reason: str) -> None:
    with pytest.raises(LLMRefused):
        decode(text("x"), event({}, reason))


def test_a_proxy_that_adds_stop_does_not_hide_that_the_answer_was_cut() -> None:
    assert decode(text("x"), event({}, "length"), STOP, DONE).finish == "length"
    native = STOP.replace(b'"index"', b'"native_finish_reason": "MAX_TOKENS", "index"')
    assert decode(text("x"), native).finish == "length"
    with pytest.raises(LLMRefused):
        decode(text("x"), event({}, "content_filter"), STOP, DONE)


def test_a_stop_at_the_limit_is_taken_for_a_cut() -> None:
    for tokens, finish in ((6, "stop"), (7, "length")):
        usage = {"prompt_tokens": 1, "completion_tokens": tokens}
        assert decode(text("x"), event({}, "stop", usage=usage)).finish == finish


def test_a_message_that_repeats_the_answer_at_its_end_is_not_added() -> None:
    message = json.dumps({"choices": [{"message": {"content": "abc"}, "finish_reason": "stop"}]}).encode()
    assert decode(text("ab"), text("c"), b"data: " + message + b"\n\n", DONE).text == "abc"
    assert decode(text("a"), text("abc"), b"data: " + message + b"\n\n", DONE).text == "abc"
    with pytest.raises(LLMBadOutput, match="differently"):
        decode(text("ab"), text("d"), b"data: " + message + b"\n\n", DONE)


def test_choices_that_are_numbered_by_event_are_refused() -> None:
    other = STOP.replace(b'"index": 0, "delta": {}', b'"index": 1, "delta": {"content": "b"}')
    with pytest.raises(LLMBadOutput, match="several answers"):
        decode(text("a"), STOP, other, DONE)


# --- the end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", BodyEnd)
def test_one_stop_after_the_text_proves_the_end(end: BodyEnd) -> None:
    assert decode(text("a"), text("b"), STOP, end=end).finish == "stop"


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("end", [BodyEnd.CLOSED, BodyEnd.BROKEN])
def test_a_stop_in_every_event_proves_nothing(count: int, end: BodyEnd) -> None:
    blocks = [text(f"line {n}\n", "stop") for n in range(count)]
    with pytest.raises(LLMIncomplete, match="may not be whole"):
        decode(*blocks, end=end)
    assert decode(*blocks, end=BodyEnd.COMPLETE).finish == "stop"
    assert decode(*blocks, DONE, end=BodyEnd.CLOSED).finish == "stop"


def test_text_after_a_stop_makes_later_ones_doubtful() -> None:
    blocks = [text("a"), STOP, text("b"), STOP]
    assert decode(*blocks, DONE).text == "ab"
    with pytest.raises(LLMIncomplete):
        decode(*blocks, end=BodyEnd.BROKEN)
    with pytest.raises(LLMIncomplete):
        decode(*blocks[:3], DONE)


@pytest.mark.parametrize("end", BodyEnd)
def test_a_length_is_a_cut_however_the_body_ends(end: BodyEnd) -> None:
    assert decode(text("a", "length"), text("b", "length"), end=end).finish == "length"
    assert decode(text("a"), event({}, "length"), text("b"), end=end).finish == "length"


def test_an_end_without_text_proves_nothing_either() -> None:
    """Before the first text, a mark may be one of many."""
    with pytest.raises(LLMIncomplete):
        decode(event({"role": "assistant"}, "stop"), end=BodyEnd.BROKEN)
    assert decode(event({"role": "assistant"}, "stop"), DONE).text == ""
