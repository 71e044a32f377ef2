"""What became of findings between two versions of a change."""

from __future__ import annotations

import pytest

from gencode.diffs import Diff, Side
from gencode.pipelines.code_review.findings import Category, Finding, FindingStatus
from gencode.pipelines.code_review.placing import ReviewedFile, place_claim
from gencode.pipelines.code_review.seen_lines import packed, seen_lines, unpacked
from gencode.pipelines.code_review.tracking import KnownFinding, known_findings, record_of, with_statuses
from gencode.workspace.reviews.tables import ReviewFinding, StoredStatus
from tests.unit.pipelines.code_review.reviews import claim, diff_of

OLD = "def f():\n    return 1\n"
FIRST = "def f():\n    return 1\n\n\ndef g():\n    danger(1)\n    return 2\n"


def found(diff: Diff, text: str, side: Side = Side.NEW, **fields: object) -> Finding:
    """A finding at the first line with this text."""
    for number, file in enumerate(diff.files):
        reviewed = ReviewedFile(number=number, file=file)
        for line, content in reviewed.lines[side].items():
            if text in content.decode():
                placed = place_claim(claim(reviewed, line, side, **fields), [reviewed])
                assert placed is not None
                return placed
    raise AssertionError(text)


def row(finding: Finding, status: StoredStatus = StoredStatus.OPEN) -> ReviewFinding:
    record = record_of(finding.model_copy(update={"id": f"row of {finding.identity}"}))
    return ReviewFinding(id=record.id, identity=record.identity, status=status, finding=record.finding)


def known(diff: Diff, later: Diff, *rows: ReviewFinding) -> list[KnownFinding]:
    before = unpacked(packed(seen_lines(diff)))
    return known_findings(rows, before, seen_lines(later), later)


def statuses(known: list[KnownFinding], *findings: Finding) -> list[tuple[FindingStatus, int | None]]:
    told = with_statuses(findings, known, "o", "s")
    return [(one.status, one.line) for one in told]


def test_a_finding_that_nobody_knows_is_new() -> None:
    diff = diff_of(a=(OLD, FIRST))
    assert statuses([], found(diff, "danger")) == [(FindingStatus.NEW, 6)]


@pytest.mark.parametrize("is_told_again", [True, False])
def test_a_line_that_only_moved_is_still_there_also_if_the_model_is_silent(is_told_again: bool) -> None:
    first, later = diff_of(a=(OLD, FIRST)), diff_of(a=(OLD, f"import os\n{FIRST}"))
    again = [found(later, "danger", title="quite other words")] if is_told_again else []
    told = statuses(known(first, later, row(found(first, "danger"))), *again)
    assert told == [(FindingStatus.STILL_THERE, 7)]


@pytest.mark.parametrize("after", [FIRST.replace("danger(1)", "safe(1)"), OLD + "\n\nx = 1\n"])
def test_a_line_that_was_changed_or_removed_is_fixed(after: str) -> None:
    first, later = diff_of(a=(OLD, FIRST)), diff_of(a=(OLD, after))
    assert statuses(known(first, later, row(found(first, "danger")))) == [(FindingStatus.FIXED, 6)]


def test_a_file_that_left_the_change_has_no_findings() -> None:
    first, later = diff_of(a=(OLD, FIRST)), diff_of(b=(OLD, FIRST))
    assert statuses(known(first, later, row(found(first, "danger")))) == [(FindingStatus.FIXED, 6)]


def test_what_was_gone_is_told_only_when_it_returns() -> None:
    diff = diff_of(a=(OLD, FIRST))
    gone = row(found(diff, "danger"), StoredStatus.GONE)
    assert statuses(known(diff, diff, gone)) == []
    assert statuses(known(diff, diff, gone), found(diff, "danger")) == [(FindingStatus.RETURNED, 6)]


def test_an_ignored_finding_stays_ignored_and_is_forgotten_with_its_line() -> None:
    first = diff_of(a=(OLD, FIRST))
    ignored = row(found(first, "danger"), StoredStatus.IGNORED)
    assert statuses(known(first, first, ignored), found(first, "danger")) == [(FindingStatus.IGNORED, 6)]
    later = diff_of(a=(OLD, FIRST.replace("danger(1)", "safe(1)")))
    assert statuses(known(first, later, ignored)) == []


def test_another_fault_of_the_same_line_is_new() -> None:
    diff = diff_of(a=(OLD, FIRST))
    other = found(diff, "danger", title="a secret is logged", category=Category.SECURITY)
    told = statuses(known(diff, diff, row(found(diff, "danger"))), other)
    assert told == [(FindingStatus.NEW, 6), (FindingStatus.STILL_THERE, 6)]


def test_a_finding_keeps_its_id_when_its_identity_changes() -> None:
    first = diff_of(a=(OLD, FIRST))
    later = diff_of(a=(OLD, FIRST.replace("    return 2\n", "    log()\n    return 3\n")))
    stored = row(found(first, "danger"))
    now = found(later, "danger")
    assert now.identity != stored.identity
    (told,) = with_statuses([now], known(first, later, stored), "o", "s")
    assert (told.id, told.identity) == (stored.id, stored.identity)


def test_a_deleted_line_is_there_as_long_as_the_change_deletes_it() -> None:
    first = diff_of(a=(FIRST, OLD))
    stored = row(found(first, "danger", Side.OLD))
    assert statuses(known(first, first, stored)) == [(FindingStatus.STILL_THERE, 6)]
    assert statuses(known(first, diff_of(a=(FIRST, FIRST + "x = 1\n")), stored)) == [(FindingStatus.FIXED, 6)]


def test_findings_without_a_line_are_the_same_by_their_words() -> None:
    diff = diff_of(a=(OLD, FIRST))
    nowhere = found(diff, "danger", anchor="1#0000", title="no test was added")
    assert nowhere.line is None
    other = found(diff, "danger", anchor="1#0000", title="the name is misleading")
    told = statuses(known(diff, diff, row(nowhere)), nowhere, other)
    assert told == [(FindingStatus.STILL_THERE, None), (FindingStatus.NEW, None)]


def test_ids_differ_between_owners_and_subjects() -> None:
    one = found(diff_of(a=(OLD, FIRST)), "danger")
    ids = {with_statuses([one], [], owner, subject)[0].id for owner in "ab" for subject in "cd"}
    assert len(ids) == 4


def test_lines_that_are_too_long_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gencode.pipelines.code_review.seen_lines.MAX_BYTES", 10)
    assert unpacked(packed(seen_lines(diff_of(a=(OLD, FIRST))))) == {}
