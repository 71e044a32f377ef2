"""Patches that are written: Git applies them, and they are read as what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from dulwich.repo import Repo

from gencode.diffs import Diff, FileDiff, FileKind, Status, diff_commits, parse_patch, write_file
from gencode.diffs.stored_files import StoredFile
from gencode.diffs.tree_diff import TreeDiffLimits
from tests.servers.git_repository import GitRepository

OLD: Mapping[str | bytes, bytes] = {
    "kept.py": b"".join(b"line %d\n" % number for number in range(100)),
    "gone.py": b"x = 1\n",
    "old name.py": b"".join(b"moved %d\n" % number for number in range(20)),
    "executable:tool": b"#!/bin/sh\n",
    "no newline": b"one\ntwo",
    "crlf.txt": b"a\r\nb\r\n",
    "binary.dat": b"\0\1\2",
    "link:link": b"kept.py",
    "项目/文件.py": b"y = 1\n",
    'q"uote\\d': b"1\n",
    "tab\tand\nfeed": b"1\n",
    b"latin-\xe9": b"1\n",
    "empty": b"",
}
NEW: Mapping[str | bytes, bytes] = {
    **{path: data for path, data in OLD.items() if path not in ("gone.py", "old name.py", "executable:tool")},
    "kept.py": OLD["kept.py"].replace(b"line 50\n", b"line fifty\n").replace(b"line 99\n", b""),
    "new name.py": OLD["old name.py"].replace(b"moved 3\n", b"moved three\n"),
    "tool": b"#!/bin/sh\n",
    "no newline": b"one\nthree",
    "crlf.txt": b"a\r\nc\r\n",
    "link:link": b"gone.py",
    "项目/文件.py": b"y = 2\n",
    'q"uote\\d': b"2\n",
    "tab\tand\nfeed": b"2\n",
    b"latin-\xe9": b"2\n",
    "added.py": b"def f():\n    return '\x0c\xe2\x80\xa8'\n",
    "also empty": b"",
}


def written(diff: Diff) -> bytes:
    return b"".join(piece for file in diff.files for piece in write_file(file))


@pytest.fixture
def made(tmp_path: Path) -> tuple[GitRepository, Diff, str]:
    """A repository at its new commit, the diff, and the old commit."""
    git = GitRepository(tmp_path / "project")
    old = git.commit(OLD)
    new = git.commit(NEW)
    with Repo(str(git.path)) as repository:
        return git, diff_commits(repository, old, new), old


def test_git_applies_what_is_written(made: tuple[GitRepository, Diff, str]) -> None:
    git, diff, old = made
    tree = git.git("rev-parse", "HEAD^{tree}")
    git.git("checkout", "-q", old)
    git.git("apply", "--index", data=written(diff))
    assert git.git("write-tree") == tree


def test_what_is_written_is_read_again(made: tuple[GitRepository, Diff, str]) -> None:
    _, diff, _ = made
    (commit,) = parse_patch(written(diff)).commits
    assert list(commit.diff.files) == [_as_patched(file) for file in diff.files]


def _as_patched(file: FileDiff) -> FileDiff:
    """A patch does not name the blob of a file of which only the mode has changed."""
    is_mode = file.status is Status.MODE_CHANGED
    return replace(file, old_id="", new_id="") if is_mode else file


def test_a_stored_file_is_the_same(made: tuple[GitRepository, Diff, str]) -> None:
    for file in made[1].files:
        stored = StoredFile.of(file, "c1").model_dump_json()
        assert StoredFile.model_validate_json(stored).file == file


def test_what_was_not_compared_is_named(tmp_path: Path) -> None:
    git = GitRepository(tmp_path / "project")
    old, new = (
        git.commit({"large": b"x\n" * 1000, "b": b"\0"}),
        git.commit({"large": b"y\n" * 1000, "b": b"\0\1"}),
    )
    with Repo(str(git.path)) as repository:
        diff = diff_commits(repository, old, new, TreeDiffLimits(max_blob=100))
    assert {file.kind for file in diff.files} == {FileKind.OVERSIZED, FileKind.BINARY}
    text = written(diff)
    assert b"Binary files a/large and b/large differ\n" in text
    assert [file.path for file in parse_patch(text).commits[0].diff.files] == ["b", "large"]
