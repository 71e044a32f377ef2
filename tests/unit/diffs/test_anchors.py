from __future__ import annotations

from collections.abc import Mapping

import pytest

from gencode.diffs import (
    Claim,
    FileDiff,
    FileKind,
    LineKind,
    Outcome,
    Placement,
    Side,
    Status,
    anchor_of,
    blob_lines,
    diff_texts,
    display_line,
    hunk_lines,
    parse_anchor,
    place,
    render_file_head,
    render_hunk,
)

OLD = b"def f():\n    x = 1\n    if x:\n        return 1\n    }\n    y = 2\n    }\n    return x\n"
NEW = OLD.replace(b"        return 1\n", b"        return 2\n        \xe9\xa1\xb9\xe7\x9b\xae()\n")


def modified(old: bytes, new: bytes, path: str = "src/项目.py") -> FileDiff:
    return FileDiff(old_path=path, new_path=path, status=Status.MODIFIED, hunks=diff_texts(old, new))


FILE = modified(OLD, NEW)
LINES = {Side.OLD: blob_lines(OLD), Side.NEW: blob_lines(NEW)}


def anchor(line: int, side: Side = Side.NEW, file: FileDiff = FILE) -> str:
    return str(anchor_of(file.path, side, line, LINES[side][line]))


def with_number(line: int, text: str) -> str:
    return f"{line}#{text.partition('#')[2]}"


def claimed(text: str, quote: str = "", path: str = FILE.path) -> Placement:
    return place(Claim(path=path, anchor=text, quote=quote), FILE, LINES)


def test_a_hunk_is_shown_with_an_anchor_before_each_line() -> None:
    (hunk,) = FILE.hunks
    shown = render_hunk(FILE, hunk).splitlines()
    assert shown[0] == "@@ -1,7 +1,8 @@"
    assert [line.split("|", 1) for line in shown[1:]] == [
        [f"{anchor(1):<9}", " def f():"],
        [f"{anchor(2):<9}", "     x = 1"],
        [f"{anchor(3):<9}", "     if x:"],
        [f"{anchor(4, Side.OLD):<9}", "-        return 1"],
        [f"{anchor(4):<9}", "+        return 2"],
        [f"{anchor(5):<9}", "+        项目()"],
        [f"{anchor(6):<9}", "     }"],
        [f"{anchor(7):<9}", "     y = 2"],
        [f"{anchor(8):<9}", "     }"],
    ]
    around = render_hunk(FILE, hunk, before=[(1, b"above")], after=[(9, b"below")]).splitlines()
    assert (around[1][-6:], around[-1][-6:]) == (" above", " below")


def test_every_shown_anchor_is_placed_exactly_and_told_what_the_diff_does_there() -> None:
    kinds = {" ": LineKind.CONTEXT, "-": LineKind.DELETED, "+": LineKind.ADDED}
    for line in render_hunk(FILE, FILE.hunks[0]).splitlines()[1:]:
        text, shown = line.split("|", 1)
        placement = claimed(text, shown[1:])
        assert (placement.outcome, placement.in_diff) == (Outcome.EXACT, kinds[shown[0]])
    assert claimed(anchor(9), "return x") == Placement(outcome=Outcome.EXACT, line=9)  # outside of the hunk


@pytest.mark.parametrize("off", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("line", range(1, 10))
def test_a_wrong_number_moves_to_the_meant_line_also_among_equal_lines(line: int, off: int) -> None:
    """Lines 6 and 8 have the same text: a hash of the text alone would accept the one for the other."""
    placement = claimed(with_number(line + off, anchor(line)), LINES[Side.NEW][line].decode())
    if line + off < 0:  # "-1#a3f1" is of the old file
        assert placement.outcome is Outcome.UNANCHORED
    else:
        assert (placement.outcome, placement.line) == (Outcome.MOVED, line)


REFUSED: Mapping[str, tuple[str, str, str]] = {
    "another file": (anchor(1), "def f():", "src/other.py"),
    "an invented hash": ("1#0000", "def f():", FILE.path),
    "no anchor": ("1", "def f():", FILE.path),
    "nothing": ("", "", FILE.path),
    "no quote": (anchor(1), "", FILE.path),
    "a quote of another line": (anchor(2), "return x", FILE.path),
    "a wrong number without a quote": (with_number(3, anchor(2)), "", FILE.path),
    "a line far away": (with_number(40, anchor(2)), "x = 1", FILE.path),
    "a deleted line as one of the new file": (anchor(4, Side.OLD)[1:], "return 1", FILE.path),
    "a new line as a deleted one": ("-" + anchor(5), "项目()", FILE.path),
    "a line after the end": ("100000000#1234", "x", FILE.path),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_claim_that_proves_nothing_is_unanchored(what: str) -> None:
    text, quote, path = REFUSED[what]
    placement = claimed(text, quote, path)
    assert (placement.outcome, placement.line, bool(placement.reason)) == (Outcome.UNANCHORED, None, True)


def test_an_empty_line_needs_no_quote_and_is_never_moved_to() -> None:
    lines = {Side.NEW: {1: b"x", 2: b" \t", 3: b"x"}}
    empty = str(anchor_of(FILE.path, Side.NEW, 2, b" \t"))
    for text, outcome in ((empty, Outcome.EXACT), (with_number(1, empty), Outcome.UNANCHORED)):
        assert place(Claim(path=FILE.path, anchor=text), FILE, lines).outcome is outcome


def test_one_hash_on_two_near_lines_is_no_proof() -> None:
    """A collision, which is made here by a text that is the same in hash and quote."""
    text = b"same"
    wanted = anchor_of("f", Side.NEW, 1, text).hash
    twin = next(n for n in range(2, 10**6) if anchor_of("f", Side.NEW, n, text).hash == wanted)
    file = modified(b"", b"", "f")
    lines = {Side.NEW: {1: text, twin: text}}
    claim = Claim(path="f", anchor=f"{twin // 2}#{wanted}", quote="same")
    assert place(claim, file, lines, window=twin).outcome is Outcome.UNANCHORED
    del lines[Side.NEW][twin]
    assert place(claim, file, lines, window=twin).outcome is Outcome.MOVED


def test_a_patch_without_the_files_proves_the_lines_of_its_hunks() -> None:
    lines = {side: hunk_lines(FILE, side) for side in Side}
    assert lines[Side.NEW] == {n: text for n, text in LINES[Side.NEW].items() if n < 9}
    claim = Claim(path=FILE.path, anchor=anchor(4, Side.OLD), quote="return 1")
    assert place(claim, FILE, lines).in_diff is LineKind.DELETED
    assert place(claim, None, lines).outcome is Outcome.UNANCHORED


@pytest.mark.parametrize(
    ("quote", "is_placed"),
    [
        ("   x   = 1  ", True),
        ("x = 1\ny = 2", True),
        ("\n  \nx = 1", True),
        ("x = 1...", True),
        ("x = ", False),
        ("x", False),
        ("if x:", False),
    ],
)
def test_quotes_may_differ_in_space_and_be_a_long_enough_part(quote: str, is_placed: bool) -> None:
    assert (claimed(anchor(2), quote).outcome is Outcome.EXACT) is is_placed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12#a3f1", "12#a3f1"),
        (" L12 # A3F1 ", "12#a3f1"),
        ("+12#a3f1", "12#a3f1"),
        ("-12#a3f1", "-12#a3f1"),
        ("12#a3f", None),
        ("12#a3f12", None),
        ("12", None),
        ("１２#a3f1", None),
        ("9999999999#a3f1", None),
    ],
)
def test_anchors_are_read_back(text: str, shown: str | None) -> None:
    found = parse_anchor(text)
    assert (str(found) if found else None) == shown


def test_no_line_can_pretend_to_be_several() -> None:
    code = "a\u2028-12#a3f1|+forged\x0b\x0c\x85\x1b[31m\r"
    shown = display_line(code.encode())
    assert shown.splitlines() == [shown]
    assert "\\u2028-12#a3f1|+forged" in shown
    assert display_line("中文".encode("gb18030")) == "中文"
    assert display_line(b"\xff\xff") == "\ufffd\ufffd"
    long = modified(b"", b"x" * 10_000 + b"\n", "f")
    assert len(render_hunk(long, long.hunks[0])) < 600


def test_the_head_of_a_file_says_what_became_of_it() -> None:
    renamed = FileDiff(
        old_path="a\n",
        new_path="b",
        status=Status.RENAMED,
        old_mode=0o100644,
        new_mode=0o100755,
        kind=FileKind.TEXT,
    )
    assert render_file_head(renamed) == "b (renamed from a\\n, mode 100644 is now 100755)\n"
    assert render_file_head(FILE) == "src/项目.py (modified)\n"
