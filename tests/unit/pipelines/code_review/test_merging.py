from __future__ import annotations

from gencode.pipelines.code_review.findings import Category, Severity
from gencode.pipelines.code_review.merging import merged, with_distinct_identities
from tests.unit.pipelines.code_review.reviews import finding


def titles(*given: object) -> list[str]:
    return [one.title for one in merged(given)]  # type: ignore[arg-type]


def test_the_most_severe_and_most_certain_come_first_and_those_without_a_line_last() -> None:
    info = finding(severity=Severity.INFO, title="a", line=1)
    unsure = finding(severity=Severity.MAJOR, title="b", line=5, confidence=0.2)
    sure = finding(severity=Severity.MAJOR, title="c", line=9, confidence=0.9)
    nowhere = finding(severity=Severity.MAJOR, title="d", line=None, confidence=1)
    assert titles(info, nowhere, unsure, sure) == ["c", "b", "d", "a"]


def test_findings_that_say_the_same_become_the_most_severe_one_that_counts_them() -> None:
    weak = finding(severity=Severity.MINOR, title="the key may be missing", line=4)
    strong = finding(severity=Severity.MAJOR, title="The key may be missing here", line=4)
    (kept,) = merged([weak, strong])
    assert (kept.severity, kept.merged) == (Severity.MAJOR, 1)
    (ranged,) = merged(
        [
            finding(title="lock is not released", line=3, end_line=9),
            finding(title="lock is never released", line=7, category=Category.SECURITY),
        ]
    )
    assert ranged.merged == 1


def test_different_faults_of_a_line_stay_two() -> None:
    one, other = finding(title="SQL injection"), finding(title="connection never closed")
    assert len(merged([one, other])) == 2
    assert len(merged([finding(title="空指针"), finding(title="资源泄漏")])) == 2
    assert len(merged([finding(title="同一处空指针"), finding(title="这里有空指针")])) == 1


def test_the_same_words_about_other_places_stay_two() -> None:
    for fields in ({"path": "b.py"}, {"line": 90}, {"side": "old"}, {"commit": "abc"}):
        assert len(merged([finding(), finding(**fields)])) == 2


def test_equal_identities_are_numbered_in_the_order_of_the_diff() -> None:
    later, first = finding(line=9, title="x"), finding(line=2, title="y")
    assert [one.identity for one in with_distinct_identities([later, first])] == ["i-2", "i"]
