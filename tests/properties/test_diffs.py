"""Diffs of generated trees: ours, Git's, and Git's patch as we read it."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from dulwich.repo import Repo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gencode.diffs import (
    BundleLimits,
    Coverage,
    Diff,
    FileDiff,
    NewFile,
    PatchError,
    ReviewPlan,
    Status,
    diff_commits,
    diff_texts,
    line_matching,
    parse_patch,
    plan_review,
)
from tests.servers.git_repository import EXECUTABLE, GitRepository
from tests.unit.diffs.applying import applied

LINES = st.sampled_from(
    [
        b"\n",
        b"a\n",
        b"b\n",
        b"  b\n",
        b"}\n",
        b"\x0c\n",
        b"c\r\n",
        "\u2028\u0085\n".encode(),
        b"+\n",
        b"-- \n",
        b"\\ No\n",
    ]
)
ENDS = st.sampled_from([b"", b"", b"a", b"end"])
TEXTS = st.builds(lambda lines, end: b"".join(lines) + end, st.lists(LINES, max_size=30), ENDS)
CONTENTS = TEXTS | st.binary(max_size=20)
NAMES = st.sampled_from([b"a", b"b c", "关于".encode(), b"d/e", b"d/f", b"\xff", b'"q"', b"t\tt"])
FILES = st.dictionaries(NAMES, CONTENTS, max_size=6)
TREES = st.builds(
    lambda files, special: {special.get(name, "").encode() + name: data for name, data in files.items()},
    FILES,
    st.dictionaries(NAMES, st.just(EXECUTABLE)),
)


@settings(deadline=None, max_examples=300)
@given(TEXTS, TEXTS, st.integers(0, 4))
def test_the_hunks_make_the_new_text(old: bytes, new: bytes, context: int) -> None:
    hunks = diff_texts(old, new, context)
    assert applied(old, hunks) == new
    assert bool(hunks) == (old != new)
    header = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"
    if hunks:
        patch = header + b"".join(hunk.header.encode() + b"\n" + hunk.body for hunk in hunks)
        assert parse_patch(patch).commits[0].diff.files[0].hunks == hunks


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS, st.integers(0, 40))
def test_texts_too_large_for_one_comparison_have_a_right_diff_too(
    monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes, cells: int
) -> None:
    """It may be longer than the shortest one."""
    unique = b"".join(b"%d\n" % n for n in range(20))
    monkeypatch.setattr(line_matching, "MAX_CELLS", cells)
    for before, after in ((old, new), (old + unique + new, new + unique + old), (unique + old, new + unique)):
        assert applied(before, diff_texts(before, after)) == after
    kept = diff_texts(b"a\n" + unique + b"b\n", b"b\n" + unique + b"a\n")
    assert sum(hunk.added for hunk in kept) == 2, "the lines that are there once are matched"


@pytest.mark.campaign
@settings(deadline=None, max_examples=60)
@given(TREES, TREES)
def test_ours_and_gits_diff_of_two_trees_agree(
    old: dict[str | bytes, bytes], new: dict[str | bytes, bytes]
) -> None:
    """Files without renames, which are tested apart: with contents so small, many are equally similar."""
    with tempfile.TemporaryDirectory() as folder:
        repository = GitRepository(Path(folder))
        before, after = repository.commit(old), repository.commit(new)
        patch = repository.git(
            "diff", "--no-color", "--no-renames", "--full-index", "--minimal", "--binary", before, after
        )
        with Repo(folder) as ours:
            made = diff_commits(ours, before, after)
            contents = {file.path: _contents(ours, file.old_id, file.new_id) for file in made.files}
    git = parse_patch(patch).commits[0].diff if patch else Diff(files=())
    apart = [file for file in made.files if file.status is not Status.RENAMED]
    theirs = {(file.path, file.status): file for file in git.files}
    assert {file.path for file in made.files} | {file.old_path for file in made.files if file.old_path} == {
        file.path for file in git.files
    }
    for file in made.files:
        assert applied(contents[file.path][0], file.hunks) == (
            contents[file.path][1] if file.hunks else contents[file.path][0]
        )
    for file in apart:
        same = theirs[file.path, file.status]
        assert (file.kind, file.added, file.deleted) == (same.kind, same.added, same.deleted)
        assert applied(contents[file.path][0], same.hunks) == applied(contents[file.path][0], file.hunks)


def _contents(repository: Repo, old: str, new: str) -> tuple[bytes, bytes]:
    return tuple(repository[name.encode()].as_raw_string() if name else b"" for name in (old, new))  # type: ignore[return-value,index,union-attr]


PIECES = [
    *(b"diff --git a/f b/f\n", b"--- a/f\n", b"+++ b/f\n", b"@@ -1,2 +1 @@\n", b"@@ -0,0 +1 @@\n"),
    *(b" a\n", b"-b\n", b"+c\n", b"\n", b"-- \n", b"\\ No newline at end of file\n"),
    *(b"rename from f\n", b"rename to g\n", b"GIT binary patch\n", b"literal 1\n", b"new file mode 100644\n"),
    *(b"index 1234567..89abcde\n", b"Subject: x\n", b"---\n", b'diff --git "a/\\303" "b/\\303"\n'),
    *(b"From %b Mon\n" % (b"1" * 40), b"commit %b\n" % (b"1" * 40)),
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
def test_any_mixture_of_headers_is_read_or_refused(patch: bytes) -> None:
    """No other error, and what is read loses no line of a hunk."""
    try:
        read = parse_patch(patch)
    except PatchError:
        return
    for commit in read.commits:
        for file in commit.diff.files:
            for hunk in file.hunks:
                lines = list(hunk.lines())
                assert sum(line.old is not None for line in lines) == hunk.old_count
                assert sum(line.new is not None for line in lines) == hunk.new_count
                assert len(lines) == hunk.added + hunk.deleted + (hunk.old_count - hunk.deleted)


PATHS = st.sampled_from(["a.py", "b.go", "tests/test_c.py", "uv.lock", "关于.md", "node_modules/d.js"])
CHANGED = st.builds(
    lambda path, old, new: FileDiff(
        old_path=path, new_path=path, status=Status.MODIFIED, hunks=diff_texts(b"".join(old), b"".join(new))
    ),
    PATHS,
    st.lists(LINES, max_size=80),
    st.lists(LINES, max_size=80),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(CHANGED, max_size=6), st.integers(100, 2000), st.integers(0, 6000), st.integers(0, 40))
def test_the_ledger_is_the_whole_diff(files: list[FileDiff], bundle: int, total: int, function: int) -> None:
    """Whatever the limits: each hunk once, each part of it once, each changed line once."""
    diff = Diff(files=tuple(files))
    lines = dict.fromkeys(range(100), b"line")
    new_files = {file.path: NewFile(lines=lines, functions=[range(function, function * 2)]) for file in files}
    plan = plan_review(diff, BundleLimits(bundle=bundle, total=total), None, new_files)
    ledger = plan.ledger
    for n, file in enumerate(files):
        entries = [entry for entry in ledger.entries if entry.file == n]
        assert sorted({entry.hunk for entry in entries if entry.hunk is not None}) == list(
            range(len(file.hunks))
        )
        for index, hunk in enumerate(file.hunks):
            parts = [entry for entry in entries if entry.hunk == index]
            assert [entry.part for entry in parts] == list(range(len(parts)))
            assert sum(entry.added for entry in parts) == hunk.added
            assert sum(entry.deleted for entry in parts) == hunk.deleted
        assert entries
    assert sum(ledger.changed_lines().values()) == diff.stats.added + diff.stats.deleted
    assert {entry.bundle for entry in ledger.entries if entry.coverage is Coverage.PLANNED} == {
        made.number for made in plan.bundles
    }
    assert all(len(made.text) <= bundle for made in plan.bundles)
    assert sum(len(made.text) for made in plan.bundles) <= total
    _check_that_planned_lines_are_shown(diff, plan)


def _check_that_planned_lines_are_shown(diff: Diff, plan: ReviewPlan) -> None:
    """Context grows, too: only lines that are added or deleted are counted, by the sign behind the anchor."""
    signs = Counter(
        line.partition("|")[2][:1]
        for bundle in plan.bundles
        for line in bundle.text.split("\n")
        if "#" in line[:15]
    )
    planned = [entry for entry in plan.ledger.entries if entry.coverage is Coverage.PLANNED]
    assert signs["+"] == sum(entry.added for entry in planned)
    assert signs["-"] == sum(entry.deleted for entry in planned)
