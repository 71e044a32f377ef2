from __future__ import annotations

from typing import Any, cast

import pytest

from gencode.cli.retry_hint import retry_hint
from gencode.client import Task


@pytest.mark.parametrize(
    ("code", "retryable", "first"),
    [
        ("LLM_NETWORK", True, "go on with"),
        ("GATE_FAILED", False, "go on with"),
        ("REPO_EXISTS", False, "mend the cause, then go on with"),
    ],
)
def test_a_retry_is_proposed_alone_only_where_it_can_help(code: str, retryable: bool, first: str) -> None:
    failed: dict[str, Any] = {"task_id": "t1", "error": {"code": code, "retryable": retryable}}
    assert retry_hint(cast("Task", failed)) == f"{first}: gencode retry t1"
