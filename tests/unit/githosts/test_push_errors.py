from __future__ import annotations

import pytest

from gencode.githosts.errors import GitError, GitRejected, PushSecret, PushTooLarge, PushWorkflowScope
from gencode.githosts.push_errors import refused


@pytest.mark.parametrize(
    ("words", "error"),
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
def test_githubs_words_are_known(words: str, error: type[GitError]) -> None:
    found = refused(words, ())
    assert type(found) is error
    assert words.split("\n")[0] in found.message


@pytest.mark.parametrize("beginning", ["GH013", "refusing to allow "])
def test_a_refusal_of_nothing_but_beginnings_takes_no_time_by_its_square(beginning: str) -> None:
    assert isinstance(refused(beginning * (4 * 2**20 // len(beginning)), ()), GitRejected)
