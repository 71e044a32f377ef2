from __future__ import annotations

from typing import Any

import pytest

from gencode.pipelines.code_review.commands.review_lines import fails, review_lines
from gencode.pipelines.code_review.findings import Finding, FindingStatus, LineReplacement, Severity
from tests.unit.pipelines.code_review.reviews import finding
from tests.unit.pipelines.code_review.test_markdown import result
from tests.unit.pipelines.code_review.test_sarif import SKIPPED


def review(*findings: Finding, **fields: Any) -> dict[str, Any]:
    return result(findings=findings, **fields).model_dump(mode="json")


def test_findings_are_told_with_their_places() -> None:
    one = finding(
        body="All calls see it.",
        suggestion=LineReplacement(first=1, last=1, old="x", replacement="y = None"),
    )
    assert list(review_lines(review(one))) == [
        "a.py:1: major: wrong [bug]",
        "    All calls see it.",
        "    suggestion:\n    y = None",
        "",
        "1 major in 1 file",
    ]


def test_what_was_told_before_and_what_was_not_reviewed_take_a_line() -> None:
    old = finding(status=FindingStatus.STILL_THERE, body="long")
    assert list(review_lines(review(old, ledger=(SKIPPED,)))) == [
        "a.py:1: major: wrong (told before and still there)",
        "1 major in 1 file",
        "not reviewed (over budget): b.py",
    ]
    assert list(review_lines(review())) == ["nothing found in 1 file"]


@pytest.mark.parametrize(
    ("severity", "status", "least", "expected"),
    [
        (Severity.MAJOR, FindingStatus.NEW, "major", True),
        (Severity.CRITICAL, FindingStatus.STILL_THERE, "major", True),
        (Severity.MINOR, FindingStatus.RETURNED, "major", False),
        (Severity.CRITICAL, FindingStatus.IGNORED, "info", False),
        (Severity.CRITICAL, FindingStatus.FIXED, "info", False),
        (Severity.CRITICAL, FindingStatus.NEW, None, False),
    ],
)
def test_open_findings_that_are_severe_enough_fail(
    severity: Severity, status: FindingStatus, least: str | None, expected: bool
) -> None:
    assert fails(review(finding(severity=severity, status=status)), least) is expected
