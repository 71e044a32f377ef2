"""Reading a clone: which commit a ref means, and what a path leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from dulwich.repo import Repo

from gencode.workspace.repositories.clone import Clone, EntryType
from gencode.workspace.repositories.errors import PathUnknown, RefUnknown
from tests.servers.git_repository import GitRepository


class Fixture:
    def __init__(self, path: Path) -> None:
        self.git = GitRepository(path)
        self.first = self.git.commit({"a.py": b"x = 1\n", "dir/b.py": b"y = 2\n"}, "first")
        self.second = self.git.commit({"a.py": b"x = 2\n", "link:dir": b"/etc"}, "second")
        self.git.git("tag", "-a", "v1", "-m", "one", self.first)
        self.git.git("tag", "of-a-blob", f"{self.first}:a.py")
        self.git.git("branch", "v2", self.first)
        self.git.git("tag", "v2", self.second)
        self.git.git("pack-refs", "--all")


@pytest.fixture
def made(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path / "project")


@pytest.fixture
def clone(made: Fixture) -> Iterator[Clone]:
    with Repo(str(made.git.path)) as repository:
        yield Clone(repository, anyio.CapacityLimiter(1))


def test_a_ref_is_a_branch_else_a_tag_else_a_commit(made: Fixture, clone: Clone) -> None:
    expected = {
        "main": made.second,
        "v1": made.first,
        "v2": made.first,
        made.first: made.first,
        made.second[:7]: made.second,
    }
    assert {ref: clone.resolve(ref) for ref in expected} == expected
    assert clone.default_branch() == "main"
    assert set(clone.branches()) == {"main", "v2"}
    assert set(clone.tags()) == {"v1", "v2", "of-a-blob"}


@pytest.mark.parametrize(
    "ref",
    [
        *("", "none", "HEAD", "main^", "main~1", "main@{0}", "main..v1", "../../config", "refs/heads/main"),
        *("-main", "a\nb", "a\0b", "\ud800", "0" * 40, "0" * 7, "of-a-blob", "MAIN", "x" * 5000),
    ],
)
def test_what_is_none_of_them_is_unknown(clone: Clone, ref: str) -> None:
    with pytest.raises(RefUnknown):
        clone.resolve(ref)


def test_the_id_of_what_is_no_commit_is_unknown(made: Fixture, clone: Clone) -> None:
    blob = made.git.git("rev-parse", f"{made.first}:a.py").decode().strip()
    for ref in (blob, blob[:10]):
        with pytest.raises(RefUnknown):
            clone.resolve(ref)


def test_a_beginning_of_several_commits_is_told(
    made: Fixture, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [made.first.encode(), made.second.encode()]
    monkeypatch.setattr(clone.repository.object_store, "iter_prefix", lambda prefix: iter(both))
    with pytest.raises(RefUnknown, match="more of its digits"):
        clone.resolve("abcdef0")


def test_a_path_leads_to_what_the_commit_has(made: Fixture, clone: Clone) -> None:
    assert clone.blob(made.first, "dir/b.py") == b"y = 2\n"
    assert clone.entry(made.first, "dir").type is EntryType.DIRECTORY
    assert clone.blob(made.second, "dir") == b"/etc"
    assert [entry.path for entry in clone.entries(made.first)] == ["a.py", "dir"]
    assert [entry.path for entry in clone.entries(made.first, "dir")] == ["dir/b.py"]


@pytest.mark.parametrize(
    "path", ["dir/passwd", "dir/b.py", "..", ".", "", "a.py/x", "/a.py", "a.py/", "A.PY", "\ud800"]
)
def test_a_link_is_not_followed_and_no_path_leads_out(made: Fixture, clone: Clone, path: str) -> None:
    with pytest.raises(PathUnknown):
        clone.blob(made.second, path)


def test_a_hostile_name_in_a_tree_is_a_name(made: Fixture, clone: Clone) -> None:
    blob = made.git.git("hash-object", "-w", "--stdin", data=b"content").decode().strip()
    raw = b"100644 ..\0" + bytes.fromhex(blob) + b"100644 a\nb\0" + bytes.fromhex(blob)
    arguments = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
    tree = made.git.git(*arguments, data=raw).decode().strip()
    commit = made.git.git("commit-tree", tree, "-m", "x").decode().strip()
    assert [entry.path for entry in clone.entries(commit)] == ["..", "a\nb"]


def test_a_commit_of_a_time_that_does_not_exist_is_read(made: Fixture, clone: Clone) -> None:
    text = made.git.git("cat-file", "commit", made.first).decode()
    author, committer = (line for line in text.splitlines() if line.startswith(("author", "committer")))
    strange = text.replace(author, "author A <a> 99999999999999999 +0000")
    commit = made.git.git(
        *("hash-object", "-t", "commit", "--literally", "-w", "--stdin"), data=strange.encode()
    )
    info = clone.commit(commit.decode().strip())
    assert (info.authored_at, info.author) == (None, "A <a>")
    assert info.committed_at is not None
    assert committer in text


def test_commits_are_pages(made: Fixture, clone: Clone) -> None:
    assert [one.id for one in clone.commits(made.second, 1)] == [made.second]
    assert [one.id for one in clone.commits(made.second, 5, 1)] == [made.first]
