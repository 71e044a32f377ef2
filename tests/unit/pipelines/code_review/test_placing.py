from __future__ import annotations

import pytest

from gencode.diffs import LineKind, Side, anchor_of
from gencode.pipelines.code_review.findings import Finding
from gencode.pipelines.code_review.placing import place_claim
from tests.unit.pipelines.code_review.reviews import claim, reviewed

OLD = "def f():\n    total = 1\n    return total\n"
NEW = "def f():\n    total = compute()\n    log(total)\n    return total\n"


def test_a_claim_is_placed_on_its_line() -> None:
    file = reviewed("a.py", OLD, NEW)
    placed = place_claim(claim(file, 3), [file])
    assert placed is not None
    assert (placed.line, placed.end_line, placed.in_diff) == (3, 3, LineKind.ADDED)
    assert (placed.quote, placed.hunk) == ("    log(total)", 0)
    assert placed.anchor == str(anchor_of("a.py", Side.NEW, 3, b"    log(total)"))


def test_a_deleted_line_is_one_of_the_old_file_and_gets_no_suggestion() -> None:
    file = reviewed("a.py", OLD, NEW)
    placed = place_claim(claim(file, 2, Side.OLD, suggestion="    total = 2"), [file])
    assert placed is not None
    assert (placed.side, placed.line, placed.suggestion) == (Side.OLD, 2, None)
    assert placed.place == "a.py:2 (deleted)"


@pytest.mark.parametrize(
    ("end", "expected"), [("right", 4), ("before", 3), ("invented", 3), ("old", 3), ("4", 3)]
)
def test_a_range_ends_at_a_proven_line(end: str, expected: int) -> None:
    file = reviewed("a.py", OLD, NEW)
    anchors = {
        "right": claim(file, 4).anchor,
        "before": claim(file, 2).anchor,
        "invented": "4#0000",
        "old": claim(file, 3, Side.OLD).anchor,
    }
    placed = place_claim(claim(file, 3, end_anchor=anchors.get(end, end)), [file])
    assert placed is not None
    assert placed.end_line == expected


@pytest.mark.parametrize("path", ["a.py", "./a.py", "b/a.py", " a.py ", "a.py (modified)"])
def test_the_usual_ways_to_write_a_path_are_understood(path: str) -> None:
    file = reviewed("a.py", OLD, NEW)
    placed = place_claim(claim(file, 3, path=path), [file])
    assert placed is not None
    assert placed.line == 3


def test_a_claim_about_a_file_that_was_not_shown_is_dropped() -> None:
    file = reviewed("a.py", OLD, NEW)
    assert place_claim(claim(file, 3, path="etc/passwd"), [file]) is None


def test_a_claim_without_a_proof_keeps_its_file_only() -> None:
    file = reviewed("a.py", OLD, NEW)
    placed = place_claim(claim(file, 3, anchor="3#0000"), [file])
    assert placed is not None
    assert (placed.line, placed.anchor, placed.suggestion) == (None, "", None)
    assert placed.unanchored


@pytest.mark.parametrize("number", ["3", "99", "", "line 3"])
def test_a_quote_of_exactly_one_line_places_a_claim_without_an_anchor(number: str) -> None:
    file = reviewed("a.py", OLD, NEW)
    placed = place_claim(claim(file, 2, anchor=number, quote="total  =  compute()"), [file])
    assert placed is not None
    assert placed.line == 2


@pytest.mark.parametrize("quote", ["return x", "compute", "twice(again)", ""])
def test_a_part_of_a_line_a_short_or_a_repeated_one_places_nothing(quote: str) -> None:
    new = "twice(again)\nreturn x\ntotal = compute()\ntwice(again)\n"
    file = reviewed("a.py", "", new)
    placed = place_claim(claim(file, 1, anchor="1", quote=quote), [file])
    assert placed is not None
    assert placed.line is None


def test_a_quote_that_fits_another_file_as_well_places_nothing() -> None:
    file, other = reviewed("a.py", OLD, NEW), reviewed("b.py", OLD, NEW)
    placed = place_claim(claim(file, 3, anchor="3"), [file, other])
    assert placed is not None
    assert placed.line is None


def test_a_line_that_stands_on_both_sides_as_a_change_places_nothing() -> None:
    file = reviewed("a.py", "moved_line(1)\nb\nc\nd\ne\n", "b\nc\nd\ne\nmoved_line(1)\n")
    placed = place_claim(claim(file, 5, anchor="", quote="moved_line(1)"), [file])
    assert placed is not None
    assert placed.line is None


def test_of_two_versions_of_a_file_the_one_with_the_line_counts() -> None:
    first, second = reviewed("a.py", OLD, NEW), reviewed("a.py", NEW, NEW + "print(1)\n")
    placed = place_claim(claim(second, 5), [first, second])
    assert placed is not None
    assert placed.line == 5
    both = reviewed("a.py", "", NEW)
    assert place_claim(claim(both, 2), [both, reviewed("a.py", OLD, NEW)]) is None


def suggested(old: str, new: str, line: int, replacement: str, end: int | None = None) -> Finding:
    file = reviewed("a.py", old, new)
    anchor = claim(file, end).anchor if end else ""
    placed = place_claim(claim(file, line, suggestion=replacement, end_anchor=anchor), [file])
    assert placed is not None
    return placed


def test_a_suggestion_replaces_the_lines_of_the_finding() -> None:
    made = suggested(OLD, NEW, 2, "    total = 2", end=3).suggestion
    assert made is not None
    assert (made.first, made.last, made.replacement) == (2, 3, "    total = 2")
    assert made.old == "    total = compute()\n    log(total)"


def test_a_suggestion_that_changes_nothing_is_not_offered() -> None:
    assert suggested(OLD, NEW, 3, "    log(total)\n").suggestion is None


def test_the_identity_stays_when_lines_are_added_above_and_other_words_are_chosen() -> None:
    before = suggested("", NEW, 3, "x")
    after = reviewed("a.py", "", "import os\n\n\n" + NEW)
    placed = place_claim(claim(after, 6, title="other words"), [after])
    assert placed is not None
    assert placed.identity == before.identity
