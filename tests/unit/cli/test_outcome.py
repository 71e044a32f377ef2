from __future__ import annotations

from typing import Any

import pytest

from gencode.cli.display.events import KindDisplay
from gencode.cli.outcome import clone_command, is_paused, retry_hint


@pytest.mark.parametrize(
    ("code", "retryable", "first"),
    [
        ("LLM_NETWORK", True, "go on with"),
        ("GIT_TIMEOUT", False, "go on with"),
        ("GATE_FAILED", False, "go on with"),
        ("REPO_EXISTS", False, "mend the cause, then go on with"),
    ],
)
def test_a_retry_is_proposed_alone_only_where_it_can_help(code: str, retryable: bool, first: str) -> None:
    failed: dict[str, Any] = {"task_id": "t1", "error": {"code": code, "retryable": retryable}}
    assert retry_hint(failed, KindDisplay(retry_helps=frozenset({"GATE_FAILED"}))) == (
        f"{first}: gencode retry t1"
    )


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"state": "paused"}, True),
        ({"state": "running", "awaiting_approval": False}, False),
        ({"awaiting_approval": True}, True),
        ({}, False),
    ],
)
def test_a_task_is_paused_by_its_state_or_in_older_services_by_awaiting_approval(
    task: dict[str, Any], expected: bool
) -> None:
    assert is_paused(task) is expected


def test_a_task_without_repository_has_no_clone_command() -> None:
    assert clone_command({"task_id": "t1"}) == ""
    assert clone_command({"repo_url": "https://h/r", "clone_url": None}) == "git clone https://h/r"
