from __future__ import annotations

from typing import Any

import pytest

from gencode.cli.task_hints import clone_command, is_paused, retry_hint
from gencode.pipelines.generate.commands.display import DISPLAY


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"retry_helps": "now", "retryable": False}, "go on with: gencode retry t1"),
        ({"retry_helps": "later", "retryable": True}, "go on with: gencode retry t1"),
        ({"retry_helps": "after_change"}, "fix the cause, then go on with: gencode retry t1"),
        ({"retry_helps": "never"}, "a retry would end the same way: submit another request"),
        (
            {"retry_helps": "after_change", "retry_fields": ["max_tokens", "max_cost", "deadline"]},
            "go on with: gencode retry t1 with --max-tokens, --max-cost or --deadline",
        ),
        (
            {"retry_helps": "now", "retry_fields": ["deliver"]},
            "go on with: gencode retry t1 (it takes --best-effort)",
        ),
        (
            {"retry_helps": "after_change", "retry_fields": ["repo_name", "github_org"]},
            "go on with: gencode retry t1 with --repo-name or --org",
        ),
        (
            {"code": "SECRET_FOUND", "retry_helps": "never"},
            "ask for placeholders in the prompt and submit it again; --allow-secrets pushes what "
            "only looks like a secret",
        ),
        # older services
        ({"retryable": True}, "go on with: gencode retry t1"),
        ({"retryable": False}, "fix the cause, then go on with: gencode retry t1"),
    ],
)
def test_the_hint_after_a_failure_follows_whether_a_retry_helps(error: dict[str, Any], expected: str) -> None:
    assert retry_hint({"task_id": "t1", "error": {"code": "X", **error}}, DISPLAY) == expected


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
