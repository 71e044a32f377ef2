from __future__ import annotations

from gencode.llm.openai.quirks import Quirks, adapt

THINKING = Quirks(thinking={"reasoning_effort": "none"})


def test_max_tokens_is_replaced_when_the_error_names_it() -> None:
    for error in (
        {"code": "unsupported_parameter", "param": "max_tokens", "message": "x"},
        {
            "code": None,
            "message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        },
    ):
        adapted = adapt(Quirks(), error)
        assert adapted
        assert adapted.max_tokens_field == "max_completion_tokens"
        assert adapt(adapted, error) is None


def test_thinking_fields_that_the_model_does_not_know_are_dropped() -> None:
    for error in (
        {"code": "unsupported_value", "param": "reasoning_effort", "message": "x"},
        {"code": None, "message": "Unrecognized request argument supplied: reasoning_effort"},
    ):
        adapted = adapt(THINKING, error)
        assert adapted
        assert adapted.thinking == {}
        assert adapt(adapted, error) is None


def test_other_complaints_change_nothing() -> None:
    for error in (
        {},
        {"code": "unsupported_parameter", "param": "temperature", "message": "not max_tokens"},
        {"code": "invalid_value", "param": "max_tokens", "message": "max_tokens is too large"},
        {"code": "unsupported_parameter", "message": "max_tokens_total is unsupported"},
    ):
        assert adapt(THINKING, error) is None


def test_headers_may_hold_secrets_and_stay_out_of_the_repr() -> None:
    assert "hunter2" not in repr(Quirks(headers={"api-key": "hunter2"}))
