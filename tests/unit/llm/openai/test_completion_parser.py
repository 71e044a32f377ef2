from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.llm.errors import LLMBadOutput, LLMIncomplete
from gencode.llm.openai.completion_parser import CompletionParser
from gencode.llm.openai.error_mapping import ErrorMapper
from gencode.llm.port import ChatRequest, Message, Usage

ASK = ChatRequest(messages=(Message(role="user", content="u"),), max_tokens=7)


def answer(request: ChatRequest = ASK) -> CompletionParser:
    return CompletionParser(request, ErrorMapper("test"))


def line(delta: Any, finish: Any = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode()


def test_text_is_taken_and_signs_of_work_are_counted() -> None:
    taken = answer()
    assert taken.take([b": hi", b"event: x", line({"role": "assistant", "content": ""}), b""]) == ""
    assert taken.signs == 0
    assert (
        taken.take([line({"reasoning_content": "hm"}), line({"content": "a"}), line({"content": "b"})])
        == "ab"
    )
    assert taken.signs == 3
    assert not taken.finished
    assert taken.take([line({}, "stop")]) == ""
    assert taken.finished
    assert taken.end().finish_reason == "stop"


def test_nothing_counts_after_done() -> None:
    taken = answer()
    assert taken.take([line({"content": "a"}, "stop"), b"data:[DONE]", line({"content": "b"})]) == "a"
    assert taken.over


def test_odd_events_are_tolerated() -> None:
    taken = answer()
    odd = [
        b'data: {"choices": [null, 7, {"index": 1, "delta": {"content": "second choice"}}]}',
        b'data: {"choices": "none", "usage": "many"}',
        line({"content": ["parts"]}),
        line("text"),
        line(None),
        line({"content": "x"}, ""),
        line({}, "stop", usage={"prompt_tokens": "9", "completion_tokens": None, "prompt_tokens_details": 4}),
    ]
    assert taken.take(odd) == "x"
    assert taken.end().usage == Usage()


def test_the_newest_usage_holds() -> None:
    taken = answer()
    taken.take([line({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": n}) for n in (1, 2)])
    taken.take([line({}, "stop")])
    assert taken.end().usage == Usage(prompt=1, completion=2)


def test_halves_of_a_character_are_joined_and_a_lone_one_is_replaced() -> None:
    taken = answer()
    assert taken.take([line({"content": "a\ud83d"})]) == "a"
    assert taken.take([line({"content": "\ude80b\ude80\ud83d"})]) == "🚀b\ufffd"
    assert taken.take([line({}, "stop")]) == ""
    assert taken.end().text == "\ufffd"


def test_tool_calls_are_no_answer() -> None:
    taken = answer()
    taken.take([line({"tool_calls": [{"id": "1"}]}), line({}, "tool_calls")])
    with pytest.raises(LLMBadOutput, match="tool"):
        taken.end()


def test_an_empty_file_is_an_answer_but_not_when_json_was_asked_for() -> None:
    for request, blank in ((ASK, False), (ChatRequest(messages=ASK.messages, max_tokens=7, json=True), True)):
        taken = answer(request)
        taken.take([line({"content": " "}, "stop")])
        if blank:
            with pytest.raises(LLMBadOutput, match="blanks"):
                taken.end()
        else:
            assert taken.end().finish_reason == "stop"


def test_a_rest_may_be_blank_even_of_json() -> None:
    taken = answer(ChatRequest(messages=ASK.messages, max_tokens=7, json=True, prefix='{"files": []'))
    taken.take([line({"content": " "}, "stop")])
    assert taken.end().finish_reason == "stop"


def test_an_unknown_finish_is_shown_in_one_short_line() -> None:
    taken = answer()
    taken.take([line({"content": "x"}, "odd\n" * 500)])
    with pytest.raises(LLMIncomplete) as caught:
        taken.end()
    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message
