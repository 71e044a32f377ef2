from __future__ import annotations

import pytest

from gencode.githosts.errors import GitError, GitRejected, PushSecret, PushTooLarge, PushWorkflowScope
from gencode.githosts.push_errors import push_error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("error: GH013: Repository rule violations found\n\n- Push cannot contain secrets", PushSecret),
        ("GITHUB PUSH PROTECTION", PushSecret),
        ("push declined due to secret scanning", PushSecret),
        ("error: GH013: Changes must be made through a pull request.", GitRejected),
        (
            "refusing to allow an OAuth App to create or update workflow `x` without `workflow` scope",
            PushWorkflowScope,
        ),
        (
            "refusing to allow a GitHub App to create or update workflow `x` without `workflows` permission",
            PushWorkflowScope,
        ),
        ("error: GH001: Large files detected.", PushTooLarge),
        ("fatal: pack exceeds maximum allowed size (2.00 GiB)", PushTooLarge),
        ("error: GH006: Protected branch update failed", GitRejected),
        ("", GitRejected),
    ],
)
def test_github_s_messages_are_recognised(text: str, error: type[GitError]) -> None:
    found = push_error(text, ())
    assert type(found) is error
    assert text.split("\n")[0] in found.message


@pytest.mark.parametrize("beginning", ["GH013", "refusing to allow "])
def test_the_patterns_take_no_quadratic_time(beginning: str) -> None:
    assert isinstance(push_error(beginning * (4 * 2**20 // len(beginning)), ()), GitRejected)
