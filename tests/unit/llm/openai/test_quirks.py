"""Which 400 errors remove a parameter."""

from __future__ import annotations

from gencode.llm.openai.quirks import Quirks, without_rejected_parameter

THINKING = Quirks(thinking={"reasoning_effort": "none"})


def test_max_tokens_is_replaced_when_the_error_names_it() -> None:
    for error in (
        {"code": "unsupported_parameter", "param": "max_tokens", "message": "x"},
        {
            "code": None,
            "message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        },
    ):
        reduced = without_rejected_parameter(Quirks(), error)
        assert reduced
        assert reduced.max_tokens_field == "max_completion_tokens"
        assert without_rejected_parameter(reduced, error) is None


def test_rejected_thinking_fields_are_removed() -> None:
    for error in (
        {"code": "unsupported_value", "param": "reasoning_effort", "message": "x"},
        {"code": None, "message": "Unrecognized request argument supplied: reasoning_effort"},
    ):
        reduced = without_rejected_parameter(THINKING, error)
        assert reduced
        assert reduced.thinking == {}
        assert without_rejected_parameter(reduced, error) is None


def test_a_temperature_that_the_model_does_not_have_is_removed() -> None:
    """As reasoning models refuse it."""
    quirks = Quirks(extra_body={"temperature": 0.2, "seed": 1})
    error = {
        "message": "Unsupported value: 'temperature' does not support 0.2 with this model.",
        "param": "temperature",
        "code": "unsupported_value",
    }
    reduced = without_rejected_parameter(quirks, error)
    assert reduced
    assert reduced.extra_body == {"seed": 1}
    assert without_rejected_parameter(reduced, error) is None


def test_other_errors_change_nothing() -> None:
    for error in (
        {},
        {"code": "unsupported_parameter", "param": "temperature", "message": "not max_tokens"},
        {"code": "invalid_value", "param": "max_tokens", "message": "max_tokens is too large"},
        {"code": "unsupported_parameter", "message": "max_tokens_total is unsupported"},
    ):
        assert without_rejected_parameter(THINKING, error) is None


def test_headers_may_contain_secrets_and_are_not_in_the_repr() -> None:
    assert "hunter2" not in repr(Quirks(headers={"api-key": "hunter2"}))
