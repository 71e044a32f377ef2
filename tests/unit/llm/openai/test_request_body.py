"""The body of requests."""

from __future__ import annotations

from typing import Any

import pytest

from gencode.llm.openai.quirks import Quirks
from gencode.llm.openai.request_body import CONTINUE_INSTRUCTION, request_body
from gencode.llm.port import ChatRequest, Message

ASK = ChatRequest(
    messages=(Message(role="system", content="s"), Message(role="user", content="u")), max_tokens=7
)
CONTINUE = ChatRequest(messages=ASK.messages, max_tokens=7, json=True, prefix="so far")


def test_a_plain_request() -> None:
    assert request_body("m", ASK, Quirks()) == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
    }


def test_configured_fields_are_added_but_replace_none() -> None:
    quirks = Quirks(
        thinking={"thinking": {"type": "disabled"}},
        extra_body={"temperature": 0, "model": "other", "stream": False, "messages": []},
        max_tokens_field="max_completion_tokens",
        stream_usage=False,
    )
    sent = request_body("m", ASK, quirks)
    assert sent["thinking"] == {"type": "disabled"}
    assert sent["temperature"] == 0
    assert (sent["model"], sent["stream"], len(sent["messages"])) == ("m", True, 2)
    assert sent["max_completion_tokens"] == 7
    assert "max_tokens" not in sent
    assert "stream_options" not in sent


def test_json_mode_is_used_where_supported_and_never_for_a_continuation() -> None:
    ask = ChatRequest(messages=ASK.messages, max_tokens=7, json=True)
    assert request_body("m", ask, Quirks())["response_format"] == {"type": "json_object"}
    assert "response_format" not in request_body("m", ask, Quirks(json_mode=False))
    assert "response_format" not in request_body("m", CONTINUE, Quirks())


@pytest.mark.parametrize(
    ("prefix", "last"),
    [
        ("deepseek", [{"role": "assistant", "content": "so far", "prefix": True}]),
        ("partial", [{"role": "assistant", "content": "so far", "partial": True}]),
        (
            "none",
            [{"role": "assistant", "content": "so far"}, {"role": "user", "content": CONTINUE_INSTRUCTION}],
        ),
    ],
)
def test_a_prefix_has_the_form_of_the_provider(prefix: Any, last: list[dict[str, object]]) -> None:
    assert request_body("m", CONTINUE, Quirks(prefix=prefix))["messages"][2:] == last
