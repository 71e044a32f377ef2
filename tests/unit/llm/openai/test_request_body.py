from __future__ import annotations

from typing import Any

import pytest

from gencode.llm.openai.quirks import Quirks
from gencode.llm.openai.request_body import GO_ON, body, url
from gencode.llm.port import ChatRequest, Message

ASK = ChatRequest(
    messages=(Message(role="system", content="s"), Message(role="user", content="u")), max_tokens=7
)
GO = ChatRequest(messages=ASK.messages, max_tokens=7, json=True, prefix="so far")


def test_a_plain_request() -> None:
    assert body("m", ASK, Quirks()) == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
    }


def test_configured_fields_are_added_but_replace_nothing() -> None:
    quirks = Quirks(
        thinking={"thinking": {"type": "disabled"}},
        extra_body={"temperature": 0, "model": "other", "stream": False, "messages": []},
        max_tokens_field="max_completion_tokens",
        stream_usage=False,
    )
    sent = body("m", ASK, quirks)
    assert sent["thinking"] == {"type": "disabled"}
    assert sent["temperature"] == 0
    assert (sent["model"], sent["stream"], len(sent["messages"])) == ("m", True, 2)
    assert sent["max_completion_tokens"] == 7
    assert "max_tokens" not in sent
    assert "stream_options" not in sent


def test_json_mode_is_asked_for_where_it_is_known_and_never_for_a_rest() -> None:
    ask = ChatRequest(messages=ASK.messages, max_tokens=7, json=True)
    assert body("m", ask, Quirks())["response_format"] == {"type": "json_object"}
    assert "response_format" not in body("m", ask, Quirks(json_mode=False))
    assert "response_format" not in body("m", GO, Quirks())


@pytest.mark.parametrize(
    ("prefix", "last"),
    [
        ("deepseek", [{"role": "assistant", "content": "so far", "prefix": True}]),
        ("partial", [{"role": "assistant", "content": "so far", "partial": True}]),
        ("none", [{"role": "assistant", "content": "so far"}, {"role": "user", "content": GO_ON}]),
    ],
)
def test_a_prefix_is_said_as_the_provider_wants_it(prefix: Any, last: list[dict[str, object]]) -> None:
    assert body("m", GO, Quirks(prefix=prefix))["messages"][2:] == last


@pytest.mark.parametrize(
    ("address", "plain", "beta"),
    [
        ("https://x.test", "https://x.test", "https://x.test/beta"),
        ("https://x.test/v1/", "https://x.test/v1", "https://x.test/beta"),
        ("https://x.test/a/beta", "https://x.test/a/beta", "https://x.test/a/beta"),
    ],
)
def test_only_a_native_deepseek_prefix_goes_to_beta(address: str, plain: str, beta: str) -> None:
    deepseek = Quirks(prefix="deepseek")
    assert url(address, ASK, deepseek) == f"{plain}/chat/completions"
    assert url(address, GO, deepseek) == f"{beta}/chat/completions"
    assert url(address, GO, Quirks(prefix="partial")) == f"{plain}/chat/completions"
