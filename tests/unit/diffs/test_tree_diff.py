from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.objects import Blob, Tree
from dulwich.repo import MemoryRepo, Repo

from gencode.diffs import (
    Diff,
    DiffTooLarge,
    FileKind,
    MissingObject,
    RenameLimits,
    Status,
    TreeDiffLimits,
    diff_commits,
    diff_trees,
    merge_base,
    parse_patch,
)
from tests.servers.git_repository import EXECUTABLE, LINK, GitRepository

BODY = b"".join(b"line %d of the file\n" % n for n in range(40))


def diff_of(
    folder: Path,
    old: dict[str | bytes, bytes],
    new: dict[str | bytes, bytes],
    limits: TreeDiffLimits | None = None,
) -> tuple[Diff, Diff]:
    """Ours, and what git says."""
    repository = GitRepository(folder)
    before, after = repository.commit(old), repository.commit(new)
    with Repo(str(folder)) as ours:
        made = diff_commits(ours, before, after, limits)
    return made, parse_patch(repository.diff(before, after, "--minimal")).commits[0].diff


def test_it_says_what_git_says(tmp_path: Path) -> None:
    old: dict[str | bytes, bytes] = {
        "gone": b"x\n", "mode": b"m\n", "moved": BODY, "picture": b"\0\1", LINK + "link": b"to/here",
        "both": BODY * 2, "becomes a link": b"text", "folder": b"f\n", "关于.md": b"1\n", b"\xff": b"a",
    }  # fmt: skip
    new: dict[str | bytes, bytes] = {
        "empty": b"", "new": b"y", EXECUTABLE + "mode": b"m\n", "moved here": BODY.replace(b"7", b"seven"),
        "picture": b"\0\2", LINK + "link": b"to/there", EXECUTABLE + "both ways": BODY * 2,
        LINK + "becomes a link": b"new", "folder/file": b"f\n", "关于.md": b"2\n", b"\xff": b"b\n",
    }  # fmt: skip
    ours, git = diff_of(tmp_path, old, new)
    key = lambda file: (file.path, file.status)  # noqa: E731
    assert sorted(map(key, ours.files)) == sorted(map(key, git.files))
    for mine, theirs in zip(sorted(ours.files, key=key), sorted(git.files, key=key), strict=True):
        assert (mine.old_path, mine.new_path, mine.kind, mine.hunks) == (
            theirs.old_path, theirs.new_path, theirs.kind, theirs.hunks
        )  # fmt: skip
        assert (theirs.old_mode or mine.old_mode, theirs.new_mode or mine.new_mode) == (
            mine.old_mode,
            mine.new_mode,
        )
        assert (theirs.old_id or mine.old_id, theirs.new_id or mine.new_id) == (mine.old_id, mine.new_id)
    assert ours.stats == git.stats


def test_the_first_commit_is_compared_with_nothing(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    first = repository.commit({"a/b": b"1\n2\n"})
    with Repo(str(tmp_path)) as ours:
        (file,) = diff_commits(ours, None, first).files
    assert (file.path, file.status, file.added) == ("a/b", Status.ADDED, 2)


def test_trees_in_memory() -> None:
    store = MemoryRepo().object_store
    blob, tree = Blob.from_string(b"x\n"), Tree()
    tree.add(b"f", 0o100644, blob.id)
    tree.add(b"lib", 0o160000, b"1" * 40)
    store.add_objects([(blob, None), (tree, None)])
    files = diff_trees(store, None, tree.id).files
    assert [(file.path, file.kind) for file in files] == [("f", FileKind.TEXT), ("lib", FileKind.SUBMODULE)]
    assert files[1].hunks[0].body == b"+Subproject commit " + b"1" * 40 + b"\n"


def test_renames_prefer_the_same_name_and_the_most_similar(tmp_path: Path) -> None:
    old: dict[str | bytes, bytes] = {"a/one": BODY, "a/two": BODY, "x": BODY * 2 + b"x\n" * 9, "y": BODY * 3}
    new: dict[str | bytes, bytes] = {
        "b/two": BODY,
        "b/one": BODY,
        "x2": BODY * 2 + b"x\n" * 8,
        "y2": BODY * 3 + b"y",
    }
    ours, git = diff_of(tmp_path, old, new)
    pairs = {("a/one", "b/one"), ("a/two", "b/two"), ("x", "x2"), ("y", "y2")}
    assert {(file.old_path, file.new_path) for file in ours.files} == pairs
    assert {(file.old_path, file.new_path) for file in git.files} == pairs


def test_without_enough_in_common_or_beyond_the_limits_nothing_is_renamed(tmp_path: Path) -> None:
    old: dict[str | bytes, bytes] = {"a": BODY, "same": b"same\n", "empty": b""}
    new: dict[str | bytes, bytes] = {"b": BODY[:300], "same2": b"same\n", "empty2": b""}
    for n, limits in enumerate((RenameLimits(), RenameLimits(max_pairs=0))):
        ours, _ = diff_of(tmp_path / str(n), old, new, TreeDiffLimits(renames=limits))
        renamed = {file.path for file in ours.files if file.status is Status.RENAMED}
        assert renamed == {"same2", "empty2"}


def test_limits_of_the_search_for_renames(tmp_path: Path) -> None:
    old: dict[str | bytes, bytes] = {"a": BODY, "same": b"same\n"}
    new: dict[str | bytes, bytes] = {"b": BODY + b"x", "same2": b"same\n"}
    tight = RenameLimits(max_pairs=0), RenameLimits(max_bytes=len(BODY)), RenameLimits(max_chunks=39)
    for n, limits in enumerate(
        (RenameLimits(max_pairs=1, max_bytes=2 * len(BODY) + 1, max_chunks=40), *tight)
    ):
        ours, _ = diff_of(tmp_path / str(n), old, new, TreeDiffLimits(renames=limits))
        renamed = {file.path for file in ours.files if file.status is Status.RENAMED}
        assert renamed == ({"same2", "b"} if n == 0 else {"same2"})


def test_limits(tmp_path: Path) -> None:
    old: dict[str | bytes, bytes] = {"big": b"x\n" * 100, "small": b"a\n"}
    new: dict[str | bytes, bytes] = {"big": b"y\n" * 100, "small": b"b\n"}
    ours, _ = diff_of(tmp_path / "1", old, new, TreeDiffLimits(max_blob=100))
    assert [(file.path, file.kind, len(file.hunks)) for file in ours.files] == [
        ("big", FileKind.OVERSIZED, 0), ("small", FileKind.TEXT, 1)
    ]  # fmt: skip
    ours, _ = diff_of(tmp_path / "2", old, new, TreeDiffLimits(max_bytes=401))
    assert [file.kind for file in ours.files] == [FileKind.TEXT, FileKind.OVERSIZED]
    ours, _ = diff_of(tmp_path / "4", old, new, TreeDiffLimits(max_lines=200))
    assert [file.kind for file in ours.files] == [FileKind.TEXT, FileKind.OVERSIZED]
    with pytest.raises(DiffTooLarge, match="1 files"):
        diff_of(tmp_path / "3", old, new, TreeDiffLimits(max_files=1))


def test_what_the_repository_does_not_hold_is_named(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    first, second = repository.commit({"a": b"1"}), repository.commit({"a": b"2"})
    blob = repository.git("rev-parse", f"{second}:a").decode().strip()
    with Repo(str(tmp_path)) as ours:
        for name in ("0" * 40, "no id", blob):
            with pytest.raises(MissingObject):
                diff_commits(ours, first, name)
        (tmp_path / ".git/objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(MissingObject, match=blob):
            diff_commits(ours, first, second)


def test_the_merge_base_is_where_a_branch_has_left(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    base = repository.commit({"a": b"1"})
    repository.git("checkout", "-q", "-b", "topic")
    head = repository.commit({"a": b"1", "b": b""})
    repository.git("checkout", "-q", "main")
    main = repository.commit({"a": b"2"})
    repository.git("checkout", "-q", "--orphan", "other")
    other = repository.commit({"c": b""})
    with Repo(str(tmp_path)) as ours:
        assert merge_base(ours, main, head) == base
        assert merge_base(ours, main, other) is None


def test_an_annotated_tag_names_its_commit(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    first = repository.commit({"a": b"1"})
    repository.git("tag", "-a", "v1", "-m", "v1")
    tag = repository.git("rev-parse", "v1").decode().strip()
    second = repository.commit({"a": b"2"})
    with Repo(str(tmp_path)) as ours:
        assert diff_commits(ours, tag, second) == diff_commits(ours, first, second)
