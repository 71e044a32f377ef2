"""What a server says about a token limit that it rejects."""

from __future__ import annotations

import pytest

from gencode.llm.openai.rejected_token_limit import TokenLimit, token_limit


@pytest.mark.parametrize(
    ("message", "param", "tokens"),
    [
        ("max_tokens is too large: 8192. This model supports at most 4096 completion tokens", "", 4096),
        (
            "integer above maximum value, expected a value <= 4096, but got 8192",
            "max_completion_tokens",
            4096,
        ),
        ("Range of max_tokens should be [1, 4096]", "", 4096),
    ],
)
def test_the_limit_of_the_model(message: str, param: str, tokens: int) -> None:
    found = token_limit({"message": message, "param": param}, 8192)
    assert found == TokenLimit(tokens=tokens, of_model=True)


@pytest.mark.parametrize("told", ["(264 in the messages, 8192 in the completion)", "and 264 input tokens"])
def test_the_rest_of_the_window(told: str) -> None:
    message = f"max_tokens: this model's maximum context length is 8192 tokens. You requested 8456 {told}"
    assert token_limit({"message": message}, 8192) == TokenLimit(tokens=7928, of_model=False)


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens must be at most 8192",  # no less than what was asked
        "max_tokens must be at most 10",  # no answer worth asking for
        "n must be at most 4096",
        "maximum context length is 4096 tokens, however you requested 9000 tokens",
        "",
    ],
)
def test_other_words_change_nothing(message: str) -> None:
    assert token_limit({"message": message}, 8192) is None
