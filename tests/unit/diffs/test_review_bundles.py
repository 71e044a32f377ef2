from __future__ import annotations

from gencode.diffs import (
    BundleLimits,
    Coverage,
    Diff,
    ExclusionRules,
    FileDiff,
    FileKind,
    NewFile,
    Status,
    blob_lines,
    diff_texts,
    plan_review,
)
from gencode.diffs.hunk_splitting import split_hunk
from gencode.diffs.rendering import render_hunk

OLD = b"".join(b"line %d\n" % n for n in range(1, 101))


def modified(path: str, old: bytes, new: bytes) -> FileDiff:
    return FileDiff(old_path=path, new_path=path, status=Status.MODIFIED, hunks=diff_texts(old, new))


def changed(path: str, *lines: int) -> FileDiff:
    new = OLD
    for line in lines:
        new = new.replace(b"line %d\n" % line, b"changed %d\n" % line)
    return modified(path, OLD, new)


def test_source_code_comes_first_and_the_ledger_keeps_the_order_of_the_diff() -> None:
    paths = ["README.md", "config.yaml", "src/b.py", "tests/test_b.py", "web/a.spec.ts", "web/b.ts"]
    plan = plan_review(Diff(files=tuple(changed(path, 50) for path in paths)), BundleLimits())
    (bundle,) = plan.bundles
    assert bundle.paths == (
        "src/b.py",
        "web/b.ts",
        "tests/test_b.py",
        "web/a.spec.ts",
        "README.md",
        "config.yaml",
    )
    assert [entry.path for entry in plan.ledger.entries] == paths
    assert bundle.text.startswith("src/b.py (modified)\n@@ -47,7 +47,7 @@\n")


def test_each_hunk_is_reviewed_excluded_or_over_budget() -> None:
    binary = FileDiff(old_path="a.png", new_path="a.png", status=Status.MODIFIED, kind=FileKind.BINARY)
    files = (changed("a.py", 10, 50, 90), binary, changed("uv.lock", 10, 50), changed("b.py", 10, 50))
    one = len(plan_review(Diff(files=files[:1]), BundleLimits()).bundles[0].text)
    plan = plan_review(Diff(files=files), BundleLimits(total=one + 100, bundle=one - 10))
    entries = plan.ledger.entries
    assert [(e.path, e.hunk, e.coverage.value, e.bundle, e.reason) for e in entries] == [
        ("a.py", 0, "planned", 0, ""),
        ("a.py", 1, "planned", 0, ""),
        ("a.py", 2, "planned", 1, ""),
        ("a.png", None, "excluded", None, "binary"),
        ("uv.lock", 0, "excluded", None, "lock_file"),
        ("uv.lock", 1, "excluded", None, "lock_file"),
        ("b.py", 0, "over_budget", None, ""),
        ("b.py", 1, "over_budget", None, ""),
    ]  # fmt: skip
    assert (
        sum(plan.ledger.changed_lines().values()) == plan.ledger.stats.added + plan.ledger.stats.deleted == 14
    )
    after = plan.ledger.reviewed([0])
    assert after.changed_lines() == {
        Coverage.REVIEWED: 4, Coverage.PLANNED: 2, Coverage.EXCLUDED: 4, Coverage.OVER_BUDGET: 4,
        Coverage.FAILED: 0,
    }  # fmt: skip
    assert not after.is_complete
    whole = plan_review(Diff(files=files), BundleLimits())
    assert whole.ledger.reviewed(range(len(whole.bundles))).is_complete
    assert not whole.ledger.is_complete


def test_a_long_hunk_is_cut_into_parts_that_are_hunks() -> None:
    hunk = diff_texts(
        OLD, b"new\n" + OLD[:200] + b"".join(b"more %d\n" % n for n in range(300)) + OLD[300:] + b"end", 300
    )[0]
    parts = split_hunk(hunk, 1000)
    file = modified("a.py", b"", b"")
    assert len(parts) > 5
    assert b"".join(part.body for part in parts) == hunk.body
    assert [line for part in parts for line in part.lines()] == list(hunk.lines())
    assert all(len(render_hunk(file, part)) <= 1000 for part in parts)
    assert split_hunk(hunk, 10**6) == [hunk]
    new = FileDiff(old_path=None, new_path="a.py", status=Status.ADDED, hunks=diff_texts(b"", OLD * 20))
    plan = plan_review(Diff(files=(new,)), BundleLimits(bundle=2000), ExclusionRules())
    entries = plan.ledger.entries
    assert [entry.part for entry in entries] == list(range(len(entries)))
    assert {entry.bundle for entry in entries} == set(range(len(plan.bundles)))
    assert sum(entry.added for entry in plan.ledger.entries) == 2000


def test_context_grows_to_the_enclosing_function_up_to_the_next_hunk() -> None:
    new = OLD.replace(b"line 50\n", b"changed 50\n").replace(b"line 60\n", b"changed 60\n")
    diff = Diff(files=(modified("a.py", OLD, new),))
    functions = [range(1, 101), range(20, 70), range(80, 90)]
    source = {"a.py": NewFile(lines=blob_lines(new), functions=functions)}
    (bundle,) = plan_review(diff, BundleLimits(), None, source).bundles
    first, second = bundle.text.split("@@ -57,7 +57,7 @@")
    numbers = [int(line.partition("#")[0].strip("-")) for line in first.splitlines()[2:]]
    assert sorted(set(numbers)) == list(range(20, 57))
    assert [line.partition("#")[0] for line in second.splitlines()[1:]][-1] == "69"
    (short,) = plan_review(diff, BundleLimits(context=5), None, source).bundles
    numbers = [
        int(line.partition("#")[0].strip("-")) for line in short.text.split("@@ -57")[0].splitlines()[2:]
    ]
    assert sorted(set(numbers)) == [20, *range(42, 57)]


def test_context_is_left_out_where_it_does_not_fit() -> None:
    file = changed("a.py", 50)
    plain = plan_review(Diff(files=(file,)), BundleLimits()).bundles[0].text
    source = {"a.py": NewFile(lines=blob_lines(OLD), functions=[range(1, 101)])}
    limits = BundleLimits(bundle=len(plain) + 10)
    assert plan_review(Diff(files=(file,)), limits, None, source).bundles[0].text == plain


def test_a_deleted_file_gets_no_context_of_a_new_one() -> None:
    gone = FileDiff(old_path="a.py", new_path=None, status=Status.DELETED, hunks=diff_texts(OLD, b""))
    source = {"a.py": NewFile(lines=blob_lines(b"other\n" * 9), functions=[range(9)])}
    assert "other" not in plan_review(Diff(files=(gone,)), BundleLimits(), None, source).bundles[0].text
