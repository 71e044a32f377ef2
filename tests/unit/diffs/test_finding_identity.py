from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.objects import ObjectID
from dulwich.repo import Repo

from gencode.diffs import (
    CarriedFinding,
    Fate,
    FileDiff,
    TrackedFinding,
    carry_over,
    diff_commits,
    distinct_identities,
    finding_identity,
    split_lines,
)
from tests.servers.git_repository import GitRepository

CODE = b"""import os


def first(a):
    if a:
        return os.remove(a)
    return None


def second(b):
    if b:
        return os.unlink(b)
    return None


def third(c):
    # one
    # two
    # three
    if c:
        return os.rmdir(c)
    return None
"""
LINE = 12
"""Of the second function's only line of its own."""


def identity(code: bytes, line: int, path: str = "a.py", rule: str = "Removes a file") -> str:
    return finding_identity(path, split_lines(code), line, rule)


def test_an_identity_survives_moves_and_edits_elsewhere() -> None:
    known = identity(CODE, LINE)
    assert len(known) == 32
    assert identity(b"# new\n" * 5 + CODE, LINE + 5) == known
    assert identity(CODE.replace(b"def first", b"def 1st") + b"\nmore\n", LINE) == known
    assert identity(CODE.replace(b"    ", b"\t"), LINE) == known
    assert identity(CODE.replace(b"\n", b"\r\n"), LINE) == known
    assert identity(CODE.replace(b"def second(b):\n", b"def second(b):\n\n"), LINE + 1) == known
    assert identity(CODE, LINE, rule="removes  a FILE") == known


def test_an_identity_changes_with_the_line_its_surroundings_the_path_and_the_rule() -> None:
    others = {
        identity(CODE.replace(b"unlink(b)", b"unlink(b, 1)"), LINE),
        identity(CODE.replace(b"if b", b"if not b"), LINE),
        identity(CODE, LINE, path="b.py"),
        identity(CODE, LINE, rule="Another"),
        identity(CODE, LINE - 1),
        identity(CODE, LINE),
    }
    assert len(others) == 6


def test_copies_are_told_apart_by_their_order() -> None:
    assert distinct_identities(["a", "b", "a", "a"]) == ["a", "b", "a-2", "a-3"]


def carried(folder: Path, old: dict[str, bytes], new: dict[str, bytes], *lines: int) -> list[CarriedFinding]:
    """What becomes of findings on lines of a.py, by two commits of the real git."""
    repository = GitRepository(folder)
    before, after = repository.commit({**old}), repository.commit({**new})
    findings = [TrackedFinding(identity=f"id {line}", path="a.py", line=line) for line in lines]
    with Repo(str(folder)) as ours:

        def read(name: str) -> bytes:
            return ours.object_store[ObjectID(name.encode())].as_raw_string()

        def old_of(file: FileDiff) -> bytes:
            return read(file.old_id)

        def new_of(file: FileDiff) -> bytes:
            return read(file.new_id)

        return carry_over(findings, diff_commits(ours, before, after), old_of, new_of)


def fates(found: list[CarriedFinding]) -> list[tuple[str, int]]:
    return [(one.fate.value, one.finding.line) for one in found]


SECOND = CODE[CODE.index(b"def second") : CODE.index(b"def third")]
BESIDE = CODE.replace(b"    if b:\n", b"    if b > 1:\n")
ALONE = CODE.replace(b"        return os.unlink(b)\n", b"") + b"return os.unlink(b)\n"
CHANGES: dict[str, tuple[bytes, Fate, int]] = {
    "nothing": (CODE, Fate.STILL_THERE, 12),
    "lines above": (b"# new\n" * 3 + CODE, Fate.STILL_THERE, 15),
    "the line beside it": (BESIDE, Fate.STILL_THERE, 12),
    "lines on both sides": (BESIDE.replace(b"(b)\n    return None", b"(b)\n    y()"), Fate.STILL_THERE, 12),
    "its indentation": (CODE.replace(b"        return os.unl", b"\treturn os.unl"), Fate.STILL_THERE, 12),
    "the line itself": (CODE.replace(b"os.unlink(b)", b"os.unlink(b, dir_fd=1)"), Fate.FIXED, 12),
    "its function is gone": (CODE.replace(SECOND, b""), Fate.FIXED, 12),
    "its function moves": (CODE.replace(SECOND, b"") + b"\n# more\n" * 9 + SECOND, Fate.MOVED, 37),
    "the line moves alone": (ALONE, Fate.MOVED, 22),
    "the file is emptied": (b"", Fate.FIXED, 12),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_becomes_of_a_finding(tmp_path: Path, what: str) -> None:
    code, fate, line = CHANGES[what]
    (found,) = carried(tmp_path, {"a.py": CODE}, {"a.py": code, "other": what.encode()}, LINE)
    assert (found.fate, found.finding) == (fate, TrackedFinding(identity="id 12", path="a.py", line=line))


def test_findings_follow_a_renamed_file_and_end_with_a_deleted_one(tmp_path: Path) -> None:
    (renamed,) = carried(tmp_path / "1", {"a.py": CODE}, {"b/c.py": b"# new\n" + CODE}, LINE)
    assert (renamed.fate, renamed.finding.path, renamed.finding.line) == (Fate.STILL_THERE, "b/c.py", 13)
    assert renamed.finding.identity == "id 12"
    assert fates(carried(tmp_path / "2", {"a.py": CODE, "b": b""}, {"b": b""}, LINE)) == [("fixed", 12)]


def test_a_line_that_is_equal_by_chance_is_not_the_same(tmp_path: Path) -> None:
    old = b"a {\n  one\n}\nb {\n  two\n}\n"
    new = b"a {\n  one\n}\nc();\nd();\n}\n"
    assert fates(carried(tmp_path, {"a.py": old}, {"a.py": new}, 3, 6)) == [("still_there", 3), ("fixed", 6)]


def test_a_copy_that_was_always_there_is_not_where_a_removed_line_went(tmp_path: Path) -> None:
    block = b"x = 1\nreturn os.unlink(b)\ny = 2\n"
    old, new = block + b"-----\n" * 3 + block, b"-----\n" * 3 + block
    assert fates(carried(tmp_path, {"a.py": old}, {"a.py": new}, 2, 8)) == [("fixed", 2), ("still_there", 5)]


def test_a_line_beyond_the_file_is_fixed(tmp_path: Path) -> None:
    assert fates(carried(tmp_path, {"a.py": CODE}, {"a.py": CODE + b"x\n"}, 999)) == [("fixed", 999)]
