from __future__ import annotations

import difflib
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from gencode.diffs import (
    Diff,
    DiffTooLarge,
    FileDiff,
    FileKind,
    LineKind,
    PatchError,
    PatchLimits,
    Status,
    display_path,
    parse_patch,
    path_bytes,
)
from tests.servers.git_repository import EXECUTABLE, LINK, GitRepository
from tests.unit.diffs.applying import applied

HEAD = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"


def only_diff(patch: bytes) -> Diff:
    (commit,) = parse_patch(patch).commits
    return commit.diff


def only_file(patch: bytes) -> FileDiff:
    (file,) = only_diff(patch).files
    return file


def texts(file: FileDiff) -> list[tuple[str, bytes]]:
    return [(line.kind, line.text) for hunk in file.hunks for line in hunk.lines()]


def git_patch(
    folder: Path, old: Mapping[str | bytes, bytes], new: Mapping[str | bytes, bytes], *options: str
) -> bytes:
    repository = GitRepository(folder / "repository")
    return repository.diff(repository.commit(old), repository.commit(new), *options)


# --- paths --------------------------------------------------------------------------------------------

NAMES: list[bytes] = [
    "关于/项目 说明.md".encode(),
    b"with space/and 'quote'.txt",
    b"a b/a b",
    b'say "x".py',
    b"back\\slash",
    b"tab\there",
    b"line\nfeed",
    b"not utf-8 \xff\xfe",
    b"b/f",
    b"a/f b/a/f",
    "zero\u200bwidth \u2028 separator".encode(),
    b" leading and trailing ",
    b"ends with cr\r",
]


@pytest.mark.parametrize("quotes", ["true", "false"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prefix", [(), ("--no-prefix",), ("--src-prefix=old/", "--dst-prefix=new/")])
def test_the_path_is_the_bytes_that_git_has(
    tmp_path: Path, name: bytes, prefix: tuple[str, ...], quotes: str
) -> None:
    repository = GitRepository(tmp_path / "r")
    repository.git("config", "core.quotePath", quotes)
    old, new = repository.commit({name: b"1\n"}), repository.commit({name: b"2\n"})
    file = only_file(repository.diff(old, new, *prefix))
    assert file.old_path == file.new_path
    assert path_bytes(file.path) == name
    assert texts(file) == [(LineKind.DELETED, b"1"), (LineKind.ADDED, b"2")]


@pytest.mark.parametrize("name", NAMES)
def test_a_renamed_file_without_hunks_has_both_names(tmp_path: Path, name: bytes) -> None:
    file = only_file(git_patch(tmp_path, {"was here": b"1\n2\n3\n"}, {name: b"1\n2\n3\n"}))
    assert (file.status, file.old_path, path_bytes(file.path), file.hunks) == (
        Status.RENAMED,
        "was here",
        name,
        (),
    )


def test_display_paths_are_printable_and_differ() -> None:
    shown = [display_path(name.decode("utf-8", "surrogateescape")) for name in NAMES]
    assert all(path.isprintable() for path in shown)
    assert len(set(shown)) == len(NAMES)
    assert shown[0] == "关于/项目 说明.md"


# --- what git writes ----------------------------------------------------------------------------------


def test_added_deleted_renamed_mode_changed_binary_and_links(tmp_path: Path) -> None:
    body = b"".join(b"line %d\n" % n for n in range(20))
    old: dict[str | bytes, bytes] = {
        "gone": b"x\n",
        "mode": b"m\n",
        "moved": body,
        "picture": b"\0\1",
        LINK + "link": b"to/here",
        "both": body * 2,
    }
    new: dict[str | bytes, bytes] = {
        "empty": b"", "new": b"y", EXECUTABLE + "mode": b"m\n", "moved here": body + b"more\n",
        "picture": b"\0\2", LINK + "link": b"to/there", EXECUTABLE + "both ways": body * 2,
    }  # fmt: skip
    for options in ((), ("--binary",)):
        files = {
            file.path: file
            for file in only_diff(git_patch(tmp_path / str(len(options)), old, new, *options)).files
        }
        assert {path: (file.status, file.kind, file.added, file.deleted) for path, file in files.items()} == {
            "gone": (Status.DELETED, FileKind.TEXT, 0, 1),
            "empty": (Status.ADDED, FileKind.TEXT, 0, 0),
            "new": (Status.ADDED, FileKind.TEXT, 1, 0),
            "mode": (Status.MODE_CHANGED, FileKind.TEXT, 0, 0),
            "moved here": (Status.RENAMED, FileKind.TEXT, 1, 0),
            "both ways": (Status.RENAMED, FileKind.TEXT, 0, 0),
            "picture": (Status.MODIFIED, FileKind.BINARY, 0, 0),
            "link": (Status.MODIFIED, FileKind.SYMLINK, 1, 1),
        }
        assert (files["both ways"].old_path, files["both ways"].mode_changed) == ("both", True)
        assert (files["gone"].new_path, files["new"].old_path) == (None, None)
        assert (files["mode"].old_mode, files["mode"].new_mode) == (0o100644, 0o100755)


def test_a_copy_and_a_submodule() -> None:
    copied = only_file(b"diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n")
    assert (copied.status, copied.old_path, copied.new_path) == (Status.COPIED, "x", "y")
    change = b"diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n"
    lines = b"-Subproject commit " + b"1" * 40 + b"\n+Subproject commit " + b"2" * 40 + b"\n"
    assert only_file(change + lines).kind is FileKind.SUBMODULE
    short = only_file(b"Submodule third party/lib 1111111..2222222:\n  > A commit\n")
    assert (short.kind, short.path) == (FileKind.SUBMODULE, "third party/lib")


STRANGE_LINES = [
    b"form\x0cfeed",
    "next\u0085line".encode(),
    "line\u2028separator, paragraph\u2029separator".encode(),
    b"carriage return\r",
    b"lone\rreturn",
    b"\\ No newline at end of file",
    b"-- a/f",
    b"++ b/f",
    b"@@ -1 +1 @@",
    b"diff --git a/x b/x",
    b"From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001",
    b"",
    b" ",
    b"-- ",
    b"\x1c\x1d\x1e\x0b",
    b"\xff\xfe not UTF-8",
]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_that_look_like_headers_or_line_ends_are_code(tmp_path: Path, end: bytes) -> None:
    old = b"\n".join([b"first", *STRANGE_LINES, b"last"]) + b"\n"
    new = b"\n".join([b"changed", *reversed(STRANGE_LINES), b"the end"]) + end
    for options in ((), ("-U0",), ("-R",)):
        file = only_file(git_patch(tmp_path / "".join(options), {"f": old}, {"f": new}, *options))
        assert applied(*((new, file.hunks) if "-R" in options else (old, file.hunks))) == (
            old if "-R" in options else new
        )


def test_several_commits_of_format_patch_with_a_diff_in_a_message(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    repository.commit({"a": b"1\n"})
    trap = "修复：标题很长" * 12 + "\n\n" + HEAD.decode() + "@@ -1 +1 @@\n-not\n+a change\n"
    first = repository.commit({"a": b"1\n", "b": b"-- \n"}, trap)
    second = repository.commit({"a": b"2\n"}, "Second")
    patch = parse_patch(repository.git("format-patch", "--stdout", "-2", "--full-index"))
    assert [commit.id for commit in patch.commits] == [first, second]
    assert [commit.subject for commit in patch.commits] == ["修复：标题很长" * 12, "Second"]
    assert patch.commits[0].author == "王小明 <a@example.com>"
    assert [[file.path for file in commit.diff.files] for commit in patch.commits] == [["b"], ["a", "b"]]


def test_the_log_of_git_has_its_commits(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    commits = [repository.commit({"a": b"%d\n" % n}, f"Number {n}\n\nMore") for n in range(3)]
    patch = parse_patch(repository.git("log", "-p"))
    assert [(commit.id, commit.subject) for commit in patch.commits] == [
        (commit, f"Number {n}") for n, commit in reversed([*enumerate(commits)])
    ]
    assert {commit.author for commit in patch.commits} == {"王小明 <a@example.com>"}


# --- what others write --------------------------------------------------------------------------------


def test_difflib_with_and_without_names() -> None:
    lines = difflib.unified_diff(["a\n"], ["b\n"])
    assert only_file("".join(lines).encode()).path == ""
    named = difflib.unified_diff(["a\n"], ["b\n"], "a/x.py", "b/x.py", "2026-01-01", "2026-01-02")
    assert only_file("".join(named).encode()).path == "x.py"


def test_files_one_after_the_other_without_lines_between_them() -> None:
    patch = b"--- /dev/null\n+++ b/1\n@@ -0,0 +1 @@\n+a\n--- /dev/null\n+++ b/2\n@@ -0,0 +1 @@\n+b\n"
    assert [(file.path, file.status) for file in only_diff(patch).files] == [
        ("1", Status.ADDED),
        ("2", Status.ADDED),
    ]
    deleted = only_file(b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n")
    assert (deleted.status, deleted.path) == (Status.DELETED, "x")


def test_the_folders_of_diff_are_no_part_of_the_path() -> None:
    file = only_file(
        b"diff -ru old/src/x.c new/src/x.c\n--- old/src/x.c\t1\n+++ new/src/x.c\t2\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert file.path == "src/x.c"
    assert only_file(b"Binary files old/p.png and new/p.png differ\n").kind is FileKind.BINARY


def test_a_patch_that_was_converted_to_crlf_reads_as_before() -> None:
    patch = HEAD + b"@@ -1,3 +1,3 @@ f\n a\n-b\n+c\n \n\\ No newline at end of file\n"
    assert only_file(patch.replace(b"\n", b"\r\n")) == only_file(patch)
    assert texts(only_file(HEAD + b"@@ -1 +1 @@\n-a\r\n+b\r\n")) == [
        (LineKind.DELETED, b"a\r"),
        (LineKind.ADDED, b"b\r"),
    ]


def test_utf_16_of_powershell_and_a_byte_order_mark() -> None:
    patch = HEAD + "@@ -1 +1 @@\n-旧\n+新\n".encode()
    assert (
        only_file(patch.decode().encode("utf-16")) == only_file(b"\xef\xbb\xbf" + patch) == only_file(patch)
    )
    with pytest.raises(PatchError, match="UTF-16"):
        parse_patch(b"\xff\xfe\x00\xd8\x00\xd8")


def test_empty_lines_of_context_whose_space_was_removed() -> None:
    file = only_file(HEAD + b"@@ -1,3 +1,3 @@\n\n-a\n+b\n\n")
    assert texts(file) == [
        (LineKind.CONTEXT, b""), (LineKind.DELETED, b"a"), (LineKind.ADDED, b"b"), (LineKind.CONTEXT, b"")
    ]  # fmt: skip


def test_the_mark_of_a_missing_line_feed_may_be_in_any_language() -> None:
    file = only_file(HEAD + "@@ -1 +1 @@\n-a\n\\ 文件尾没有换行符\n+b\n\\ Kein Zeilenumbruch".encode())
    assert [line.has_newline for line in file.hunks[0].lines()] == [False, False]


# --- damaged and hostile patches ----------------------------------------------------------------------

HUNK = HEAD + b"@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
DAMAGED = {
    "": "No diff",
    "only prose\n": "No diff",
    "\x1b[1mdiff --git a/f b/f\x1b[m\n": "no-color",
    HUNK[:-3].decode(): "Line 4 .*cut off",
    HEAD.decode() + "@@ -1 +1,5 @@\n-a\n+b\n": "Line 4 .*4 lines early",
    HUNK[:-1].decode(): "Line 7 .*within a line",
    HEAD.decode(): "Line 1 .*no hunks",
    "diff --git a/f b/f\nindex 1111111..2222222 100644\n": "before the changes",
    HUNK.decode() + "+d\n": "Line 8 .*more lines than its header says",
    HUNK.decode() + " d\n": "more lines",
    HEAD.decode() + "@@ -1 +1 @@\n-a\n-b\n+c\n": "Line 6 .*more lines",
    HEAD.decode() + "@@ -1 +1 @@\n-a\n*b\n": "no line of a hunk",
    HEAD.decode() + "@@ -x +1 @@\n": "not the header",
    HEAD.decode() + "@@ -99999999999999999999999 +1 @@\n": "larger than any file",
    HEAD.decode() + "@@ -2147483648 +1 @@\n-a\n+b\n": "larger than any file",
    HEAD.decode() + "@@ -0,1 +1 @@\n-a\n+b\n": "numbered from 1",
    HEAD.decode() + "@@ -0,0 +0,0 @@\n": "has no lines",
    HEAD.decode() + "@@ -5 +5 @@\n-a\n+b\n@@ -5 +6 @@\n-a\n+b\n": "Line 7 .*before the end",
    HEAD.decode() + "@@ -1 +1 @@\n\\ No newline at end of file\n-a\n+b\n": "no line before",
    HEAD.decode() + "@@ -1,2 +1 @@\n-a\n\\ No newline at end of file\n-b\n+c\n": "without a line feed",
    "@@ -1 +1 @@\n-a\n+b\n": "belongs to no file",
    "diff --cc f\n": "merge",
    "diff --git a/f b/f\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n": "Line 2 .*another file",
    "diff --git a/f b/g\n": "names of this file",
    'diff --git "a/f b/f\n': "names of this file",
    'diff --git "a/\\q" "b/\\q"\n': "names of this file",
    "diff --git a/f b/f\nrename from f\n": "only one of the two names",
    'diff --git a/f b/g\nrename from "\\000"\nrename to g\n': "Line 2 .*names no file",
    "diff --git a/f b/f\nold mode 9\n": "mode of a file",
    "diff --git a/f b/f\nGIT binary patch\nliteral 5\nMcmZ": "cut off",
    "diff --git a/f b/f\nGIT binary patch\n": "no data",
}


@pytest.mark.parametrize("patch", DAMAGED)
def test_a_damaged_patch_is_refused_with_the_reason(patch: str) -> None:
    with pytest.raises(PatchError, match=DAMAGED[patch]):
        parse_patch(patch.encode())


@pytest.mark.parametrize("cut", range(len(HEAD) + 1, len(HUNK) - 1))
def test_no_patch_that_was_cut_off_within_a_hunk_is_read(cut: int) -> None:
    """The last line may lack its line feed only."""
    with pytest.raises(PatchError):
        parse_patch(HUNK[:cut])


def test_limits_are_named() -> None:
    many_hunks = b"".join(b"@@ -%d +%d @@\n-a\n+b\n" % (n, n) for n in range(1, 5))
    for limits, patch, named in (
        (PatchLimits(max_bytes=10), HUNK, "at most 10"),
        (PatchLimits(max_files=1), HUNK * 2, "1 files"),
        (PatchLimits(max_hunks=3), HEAD + many_hunks, "3 hunks"),
        (PatchLimits(max_lines=1), HUNK, "1 lines"),
        (
            PatchLimits(max_commits=1),
            b"commit " + b"1" * 40 + b"\n" + HUNK + b"commit " + b"2" * 40 + b"\n",
            "1 commits",
        ),
    ):
        with pytest.raises(DiffTooLarge, match=named):
            parse_patch(patch, limits)
    with pytest.raises(PatchError, match="longer than 4096"):
        parse_patch(HUNK.replace(b"/f", b"/" + b"f" * 5000))


@pytest.mark.campaign
@pytest.mark.parametrize(
    "patch",
    [
        HEAD + b"@@ -0,0 +1,500000 @@\n" + b"+\n" * 500_000,
        b"".join(b"diff --git a/%d b/%d\nold mode 100644\nnew mode 100755\n" % (n, n) for n in range(9_000)),
        HEAD + b"".join(b"@@ -%d +%d @@\n-\n+\n" % (n, n) for n in range(1, 40_000)),
        HEAD + b"@@ -1 +1 @@\n-" + b"x" * 2**20 + b"\n+y\n",
    ],
)
def test_memory_is_bounded_by_the_length_of_the_patch(patch: bytes) -> None:
    tracemalloc.start()
    try:
        parse_patch(patch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25 * len(patch)
