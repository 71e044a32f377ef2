"""Events of a completion, in all variants that servers send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.llm.errors import LLMBadOutput, LLMIncomplete
from gencode.llm.openai.error_mapping import ErrorMapper
from gencode.llm.openai.event_parser import CompletionParser
from gencode.llm.port import ChatRequest, Message, Usage

ASK = ChatRequest(messages=(Message(role="user", content="u"),), max_tokens=7)


def parser(request: ChatRequest = ASK) -> CompletionParser:
    return CompletionParser(request, ErrorMapper("test"))


def line(delta: Any, finish: Any = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode()


def test_text_is_returned_and_deltas_are_counted() -> None:
    parsed = parser()
    assert parsed.feed([b": hi", b"event: x", line({"role": "assistant", "content": ""}), b""]) == ""
    assert parsed.deltas == 0
    assert (
        parsed.feed([line({"reasoning_content": "hm"}), line({"content": "a"}), line({"content": "b"})])
        == "ab"
    )
    assert parsed.deltas == 3
    assert not parsed.is_complete
    assert parsed.feed([line({}, "stop")]) == ""
    assert parsed.is_complete
    assert parsed.finish().finish_reason == "stop"


def test_lines_after_done_are_ignored() -> None:
    parsed = parser()
    assert parsed.feed([line({"content": "a"}, "stop"), b"data:[DONE]", line({"content": "b"})]) == "a"
    assert parsed.done


def test_malformed_fields_are_ignored() -> None:
    parsed = parser()
    odd = [
        b'data: {"choices": [null, 7, {"index": 1, "delta": {"content": "second choice"}}]}',
        b'data: {"choices": "none", "usage": "many"}',
        line({"content": ["parts"]}),
        line("text"),
        line(None),
        line({"content": "x"}, ""),
        line({}, "stop", usage={"prompt_tokens": "9", "completion_tokens": None, "prompt_tokens_details": 4}),
    ]
    assert parsed.feed(odd) == "x"
    assert parsed.finish().usage == Usage()


def test_the_last_usage_counts() -> None:
    parsed = parser()
    parsed.feed([line({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": n}) for n in (1, 2)])
    parsed.feed([line({}, "stop")])
    assert parsed.finish().usage == Usage(prompt=1, completion=2)


def test_halves_of_a_surrogate_pair_are_joined_and_a_lone_half_is_replaced() -> None:
    parsed = parser()
    assert parsed.feed([line({"content": "a\ud83d"})]) == "a"
    assert parsed.feed([line({"content": "\ude80b\ude80\ud83d"})]) == "🚀b\ufffd"
    assert parsed.feed([line({}, "stop")]) == ""
    assert parsed.finish().text == "\ufffd"


def test_a_tool_call_is_rejected() -> None:
    parsed = parser()
    parsed.feed([line({"tool_calls": [{"id": "1"}]}), line({}, "tool_calls")])
    with pytest.raises(LLMBadOutput, match="tool"):
        parsed.finish()


def test_a_blank_answer_is_rejected_only_if_json_was_requested() -> None:
    for request, blank in ((ASK, False), (ChatRequest(messages=ASK.messages, max_tokens=7, json=True), True)):
        parsed = parser(request)
        parsed.feed([line({"content": " "}, "stop")])
        if blank:
            with pytest.raises(LLMBadOutput, match="blanks"):
                parsed.finish()
        else:
            assert parsed.finish().finish_reason == "stop"


def test_a_continuation_may_be_blank_even_of_json() -> None:
    parsed = parser(ChatRequest(messages=ASK.messages, max_tokens=7, json=True, prefix='{"files": []'))
    parsed.feed([line({"content": " "}, "stop")])
    assert parsed.finish().finish_reason == "stop"


def test_an_unknown_finish_reason_is_shown_in_one_short_line() -> None:
    parsed = parser()
    parsed.feed([line({"content": "x"}, "odd\n" * 500)])
    with pytest.raises(LLMIncomplete) as caught:
        parsed.finish()
    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message
