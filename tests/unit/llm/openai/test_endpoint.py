"""URLs and the header of the key."""

from __future__ import annotations

import pytest

from gencode.llm.openai.endpoint import completions_url, key_headers
from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest, Message

ASK = ChatRequest(messages=(Message(role="user", content="u"),), max_tokens=7)
CONTINUE = ChatRequest(messages=ASK.messages, max_tokens=7, json=True, prefix="so far")


@pytest.mark.parametrize(
    ("address", "plain", "beta"),
    [
        ("https://x.test", "https://x.test", "https://x.test/beta"),
        ("https://x.test/v1/", "https://x.test/v1", "https://x.test/beta"),
        ("https://x.test/v1?api-version=1", "https://x.test/v1", "https://x.test/beta"),
        ("https://x.test/a/beta", "https://x.test/a/beta", "https://x.test/a/beta"),
    ],
)
def test_only_a_native_deepseek_prefix_goes_to_beta(address: str, plain: str, beta: str) -> None:
    deepseek = Quirks(prefix="deepseek")
    path = "/chat/completions" + ("?api-version=1" if "?" in address else "")
    assert completions_url(address, ASK, deepseek) == plain + path
    assert completions_url(address, CONTINUE, deepseek) == beta + path
    assert completions_url(address, CONTINUE, Quirks(prefix="partial")) == plain + path


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("https://api.example.com/v1", "authorization"),
        ("https://us.openai.azure.com/openai/v1", "api-key"),
        ("https://gateway.test/openai/deployments/m?api-version=1", "api-key"),
        ("https://openai.azure.com.evil.test/v1", "authorization"),
    ],
)
def test_azure_gets_the_key_in_a_header_of_its_own(address: str, header: str) -> None:
    assert list(key_headers(address, "k")) == [header]
    assert key_headers(address, "") == {}
