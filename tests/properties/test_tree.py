"""Git accepts every path that we accept: `git fsck --strict`, and a checkout with all protections on."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import hypothesis.strategies as st
import pytest
from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit
from dulwich.repo import Repo
from hypothesis import assume, example, given, settings

from gencode.domain.errors import TreeError, UnsafePath, UnsafeTree
from gencode.domain.path_rules import PATH_BYTES, SEGMENT_BYTES, check_path
from gencode.domain.tree import Tree, check_paths
from tests.servers.githttp import git_environment

PLAIN = [
    "a",
    "b",
    "ab",
    "A",
    "B",
    "é",
    "中",
    "ß",
    "SS",
    "ﬁ",
    "🎉",
    "x.py",
    "-f",
    "@",
    "{}",
    "%2e",
    "#",
    "K",
    "~",
]
GITS = [
    ".git",
    "git",
    ".gitignore",
    ".gitmodules",
    ".gitattributes",
    ".github",
    "workflows",
    "git~1",
    "gi7eba",
]
DOTS = ["..", ".", "...", " ", ":", "\\", "*", "?", "$", "$DATA", "C:", "/", "//", "~1", ".txt", "s" * 130]
DEVICES = ["con", "CON", "aux", "nul", "com1", "gitmod"]
UNSEEN = [
    "\u200c",
    "\u200d",
    "\ufeff",
    "\u202e",
    "\0",
    "\n",
    "\r",
    "\t",
    "\x7f",
    "\ud800",
    "\u034f",
    "\ufe0f",
]
ALIKE = ["\uff0e", "\uff0f", "\u2044", "\u2215", "İ", "ı", "e\u0301", "\u212b"]


def paths(*fragments: str) -> st.SearchStrategy[str]:
    segments = st.lists(st.sampled_from(fragments), min_size=1, max_size=3).map("".join)
    return st.lists(segments, min_size=1, max_size=4).map("/".join)


HOSTILE = paths(*PLAIN, *GITS, *DOTS, *DEVICES, *UNSEEN, *ALIKE) | st.text(max_size=12)
PATHS = paths(*PLAIN) | paths(*PLAIN, *GITS, "~1", ".txt", ".", *ALIKE) | HOSTILE


def accepted(path: str) -> bool:
    try:
        check_path(path)
    except UnsafePath:
        return False
    return True


def compatible(paths: Sequence[str]) -> list[str]:
    """As many of them as can be in one tree."""
    chosen: list[str] = []
    for path in paths:
        with suppress(TreeError):
            check_paths([*chosen, path])
            chosen.append(path)
    return chosen


@given(HOSTILE)
@settings(max_examples=500)
def test_an_accepted_path_is_relative_and_normal(path: str) -> None:
    if not accepted(path):
        return
    assert os.path.normpath(path) == path
    assert not os.path.isabs(path)
    assert unicodedata.normalize("NFC", path) == path
    assert not set(path) & set('\\:*?"<>|\0\r\n')
    assert len(path.encode()) <= PATH_BYTES
    for segment in path.split("/"):
        assert segment not in ("", ".", "..")
        assert len(segment.encode()) <= SEGMENT_BYTES
        assert segment.casefold() not in (".git", ".gitmodules", ".gitattributes", ".gitconfig")


def folded(path: str) -> str:
    return unicodedata.normalize("NFKC", path).casefold()


@given(st.lists(PATHS, max_size=30))
@example(["a", "a\uff0f"])  # a fullwidth slash, which becomes a slash, but separates no folders
@settings(max_examples=150)
def test_accepted_paths_differ_after_case_folding_and_are_no_folders_of_each_other(paths: list[str]) -> None:
    accepted_paths = compatible(paths)
    files = {folded(path) for path in accepted_paths}
    assert len(files) == len(set(accepted_paths))
    parts = [path.split("/") for path in accepted_paths]
    folders = {folded("/".join(names[:n])) for names in parts for n in range(1, len(names))}
    assert not folders & files


@given(st.lists(PATHS, min_size=1, max_size=8), st.data())
@settings(max_examples=100)
def test_a_clash_is_found_at_any_position(paths: list[str], data: st.DataObject) -> None:
    accepted_paths = compatible([*paths, "a/b"])
    victim = data.draw(st.sampled_from(accepted_paths))
    other = data.draw(st.sampled_from([victim.swapcase(), victim.upper(), victim.title()]))
    twin = other if other.casefold() == victim.casefold() and other != victim else f"{victim}/x"
    assume(accepted(twin))
    with pytest.raises(UnsafeTree):
        check_paths(data.draw(st.permutations([*accepted_paths, twin])))


@given(st.lists(PATHS, max_size=60))
@settings(max_examples=25, deadline=None)
def test_git_accepts_every_accepted_tree(paths: list[str]) -> None:
    tree = Tree.of({path: path.encode() for path in compatible(["README.md", *paths])})
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        commit(work, tree)
        git(work, "fsck", "--strict", "--no-dangling")
        git(work, "-c", "core.protectNTFS=true", "-c", "core.protectHFS=true", "checkout", "-q", "main")
        found = [path for path in work.rglob("*") if ".git" not in path.relative_to(work).parts[:1]]
        files = {str(path.relative_to(work)): path.read_bytes() for path in found if path.is_file()}
        assert files == dict(tree.files)
        assert sorted(os.listdir(folder)) == ["work"]


def commit(work: Path, tree: Tree) -> None:
    """Commit without the checks of dulwich and Git."""
    repo = Repo.init(str(work), mkdir=True)
    blobs = {path: Blob.from_string(data) for path, data in tree.files.items()}
    repo.object_store.add_objects([(blob, None) for blob in blobs.values()])
    entries = [(path.encode(), blob.id, 0o100644) for path, blob in blobs.items()]
    made = Commit()
    made.tree = commit_tree(repo.object_store, entries)
    made.author = made.committer = b"a <a@b>"
    made.author_time = made.commit_time = 0
    made.author_timezone = made.commit_timezone = 0
    made.message = b"m"
    repo.object_store.add_object(made)
    repo.refs[b"refs/heads/main"] = made.id
    repo.close()


def git(work: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["git", *arguments], cwd=work, env=git_environment(work.parent), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"warning" not in done.stderr, done.stderr.decode()
