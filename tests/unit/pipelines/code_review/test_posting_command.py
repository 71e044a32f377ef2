from __future__ import annotations

from pathlib import Path

import pytest

from gencode.cli.git_command import git_text
from gencode.cli.registered_repository import place_of
from gencode.pipelines.code_review.commands.working_copy import commit_of
from tests.servers.git_repository import GitRepository


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Octo/shop",
        "https://github.com/octo/shop.git/",
        "https://x-access-token:secret@GitHub.com/octo/shop.git",
        "ssh://git@github.com:22/octo/shop.git",
        "git@github.com:octo/shop.git",
        "github.com:/octo/shop",
    ],
)
def test_addresses_of_one_repository_are_the_same(address: str) -> None:
    assert place_of(address) == ("github.com", "octo/shop")


def test_a_path_has_no_host() -> None:
    assert place_of("/srv/git/shop.git") == ("", "srv/git/shop")
    assert place_of("../a:b") == ("", "../a:b")


def test_the_commit_is_told_only_if_the_patch_ends_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = GitRepository(tmp_path)
    first = repository.commit({"a.py": b"x = 1\n"})
    monkeypatch.chdir(tmp_path)
    repository.git("remote", "add", "origin", "git@example.org:a/b.git")
    assert git_text("remote", "get-url", "origin") == "git@example.org:a/b.git"
    assert commit_of("main", None) == first
    assert commit_of(None, None) == ""
    repository.git("branch", "other")
    second = repository.commit({"a.py": b"x = 2\n"})
    assert commit_of("other", "main") == second
    assert commit_of("main", "other") == first
    (tmp_path / "a.py").write_bytes(b"x = 3\n")
    assert commit_of("other", None) == ""
