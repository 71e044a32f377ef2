"""A commit that adds files to another one: the trees are those that git itself would make."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dulwich.repo import Repo

from gencode.domain.errors import UnsafeTree
from gencode.domain.tree import Tree
from gencode.githosts.commit import commit_objects
from gencode.githosts.port import Snapshot
from gencode.workspace.repositories.push import parent_commit
from tests.servers.git_repository import EXECUTABLE, LINK, GitRepository

OLD: Mapping[str | bytes, bytes] = {
    "a.py": b"x = 1\n",
    f"{EXECUTABLE}run": b"#!/bin/sh\n",
    f"{LINK}link": b"tests",
    "tests/test_a.py": b"# Tests written by gencode\n",
    "tests/test_b.py": b"# mine\n",
    "tests/deep/er/x": b"x",
    "Docs/readme": b"x",
}


def added(repository: GitRepository, parent: str, files: Mapping[str, bytes]) -> str:
    """The id of the new commit, whose objects are in the repository."""
    with Repo(str(repository.path)) as opened:
        known = parent_commit(opened, parent, list(files), lambda content: b"gencode" in content)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        snapshot = Snapshot(tree=Tree.of(files), message="m", author="A <a@b.c>", at=at, parent=known)
        objects = commit_objects(snapshot)
        assert commit_objects(snapshot).sha == objects.sha
        for part in objects.all:
            opened.object_store.add_object(part)
    return objects.sha.decode()


def test_the_commit_adds_its_files_and_keeps_all_others(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    parent = repository.commit(OLD)
    files = {"tests/test_a.py": b"new\n", "tests/deep/y": b"y", "new/test_z.py": b"z", "测试.py": b"c"}
    commit = added(repository, parent, files)
    repository.git("fsck", "--strict")
    assert repository.git("rev-parse", f"{commit}^").decode().strip() == parent
    ours = repository.git("rev-parse", f"{commit}^{{tree}}")
    expected = repository.commit(OLD | files)
    assert ours == repository.git("rev-parse", f"{expected}^{{tree}}")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a.py/test_x.py", "is no folder"),
        ("link/test_x.py", "is no folder"),
        ("tests/test_b.py", "another file there"),
        ("tests/deep", "another file there"),
        ("link", "another file there"),
        ("docs/test_x.py", "'Docs' is the same name"),
        ("tests/Test_B.py", "'test_b.py' is the same name"),
    ],
)
def test_what_has_no_place_is_refused(tmp_path: Path, path: str, said: str) -> None:
    repository = GitRepository(tmp_path)
    parent = repository.commit(OLD)
    with pytest.raises(UnsafeTree, match=said):
        added(repository, parent, {path: b"x"})
