"""Error responses and error objects of model APIs."""

from __future__ import annotations

import json

import httpx
import pytest

from gencode.llm.errors import LLMBadRequest, LLMRateLimit, LLMTimeout, LLMUnavailable
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.error_objects import error_in

ERRORS = ErrorMapper("test/model", ["an-api-key"])


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"error": {"message": "words"}}, "words"),
        ({"error": "words"}, "words"),
        ({"message": "words"}, "words"),
        ([{"error": {"message": "words"}}], "words"),
        ({"detail": "words"}, "words"),
        ([], "[]"),
        (None, "null"),
    ],
)
def test_the_message_is_found_in_every_shape_of_error(page: object, message: str) -> None:
    assert error_in(json.dumps(page).encode())["message"] == message


def test_a_page_that_is_not_json_becomes_the_message() -> None:
    assert error_in(b"no \xff json")["message"] == "no \ufffd json"
    assert error_in(b"[" * 100_000)["message"].startswith("[[")


def test_messages_name_provider_error_and_remedy_and_redact_the_key() -> None:
    response = httpx.Response(429, headers={"retry-after": "2"})
    error = ERRORS.from_response(response, b'{"error": {"message": "an-api-key is too fast"}}')
    assert isinstance(error, LLMRateLimit)
    assert error.retry_after == 2
    assert error.message == (
        "test/model answered with error 429: [redacted] is too fast. "
        "Try again later, or raise the account's limits at the provider."
    )


def test_a_redirect_names_the_setting() -> None:
    error = ERRORS.from_response(httpx.Response(308, headers={"location": "https://other.test"}), b"")
    assert isinstance(error, LLMBadRequest)
    assert "base_url" in error.message


@pytest.mark.parametrize(("status", "kind"), [(408, LLMTimeout), (500, LLMUnavailable), (418, LLMBadRequest)])
def test_other_statuses(status: int, kind: type[Exception]) -> None:
    assert type(ERRORS.from_response(httpx.Response(status), b"")) is kind


def test_malformed_values_in_an_error_object_are_ignored() -> None:
    error = ERRORS.from_error_object({"message": ["not", "text"], "code": {"a": 1}, "type": None})
    assert isinstance(error, LLMUnavailable)
