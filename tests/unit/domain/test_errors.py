from __future__ import annotations

import pytest

from gencode.domain.errors import GencodeError, RetryHelps, Transient, error_classes
from gencode.pipelines.generate.kind import KIND


@pytest.mark.parametrize("error", sorted({*error_classes(Transient)}, key=lambda error: error.__name__))
def test_a_retry_after_a_transient_error_needs_no_change(error: type[GencodeError]) -> None:
    assert error.retry_helps in (RetryHelps.NOW, RetryHelps.LATER)


def test_fields_of_a_retry_are_those_that_its_request_takes() -> None:
    assert KIND.retry_model
    taken = set(KIND.retry_model.model_fields)
    declared = {field for error in KIND.errors for field in error.retry_fields}
    assert declared == {
        *("max_tokens", "max_cost", "deadline"),
        *("deliver", "repo_name", "github_org", "allow_secrets"),
    }
    assert declared <= taken


def test_an_error_that_no_retry_can_help_names_no_fields() -> None:
    helpless = [error for error in KIND.errors if error.retry_helps is RetryHelps.NEVER]
    assert helpless
    assert not any(error.retry_fields for error in helpless)
