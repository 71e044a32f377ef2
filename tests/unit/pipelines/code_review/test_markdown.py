from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gencode.diffs import Coverage
from gencode.pipelines.code_review.commands.review_lines import review_lines
from gencode.pipelines.code_review.findings import FindingStatus, LineReplacement, Severity
from gencode.pipelines.code_review.markdown import code, escaped, fenced, review_markdown
from gencode.pipelines.code_review.messages import message
from gencode.pipelines.code_review.result import ReviewResult, ReviewStats
from gencode.pipelines.code_review.review_plan import LedgerLine
from tests.unit.pipelines.code_review.reviews import finding
from tests.unit.storage.samples import a_task

STATS = ReviewStats(
    files=1,
    added=2,
    deleted=0,
    calls=1,
    merged=0,
    refuted=0,
    misplaced=0,
    unreadable=0,
    left_out=0,
    self_checked=False,
)


def result(**fields: Any) -> ReviewResult:
    given = {"subject": "", "complete": True, "coverage": (), "stats": STATS, "findings": (), "ledger": ()}
    return ReviewResult.model_validate(given | fields)


def test_a_review_reads_well() -> None:
    found = finding(
        title="The list is shared",
        body="All calls see it.",
        quote="def f(x=[]):",
        suggestion=LineReplacement(first=1, last=1, old="def f(x=[]):", replacement="def f(x=None):"),
    )
    assert (
        review_markdown(result(findings=(found,), subject="main"), "en")
        == """\
# Code review: main

1 finding: 1 major.
1 file, 2 lines added, 0 deleted.

## `a.py:1`: The list is shared

major, bug

```
def f(x=[]):
```

All calls see it.

Suggestion:

```
def f(x=None):
```
"""
    )


def test_what_was_not_reviewed_is_told_and_an_empty_review_is_no_silence() -> None:
    line = LedgerLine(
        file=0,
        path="b.py",
        hunk=0,
        part=0,
        coverage=Coverage.OVER_BUDGET,
        bundle=None,
        reason="",
        added=1,
        deleted=0,
    )
    text = review_markdown(result(complete=False, ledger=(line,)), "zh")
    assert "未评审任何内容" in text
    assert "未发现问题" not in text
    assert "并非全部内容都已评审" in text
    assert "- BUDGET\\_EXCEEDED: `b.py`" in text


def test_findings_that_were_told_before_take_a_line() -> None:
    old = finding(status=FindingStatus.STILL_THERE, title="old", body="long body", severity=Severity.MINOR)
    text = review_markdown(result(findings=(old,)), "en")
    assert "- `a.py:1` (minor): old" in text
    assert "long body" not in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<script>@all [x](y)", "\\<script\\>\\@all \\[x\\](y)"),
        ("a\n# b", "a \\# b"),
    ],
)
def test_texts_have_no_effect(given: str, shown: str) -> None:
    assert escaped(given) == shown


def test_code_keeps_its_backticks() -> None:
    assert code("a`b") == "``a`b``"
    assert code("`a`") == "`` `a` ``"
    assert fenced("```\nx")[0] == "````"


def test_findings_beyond_the_limit_are_counted() -> None:
    limited = result(findings=(finding(),), stats=STATS.model_copy(update={"left_out": 10}))
    assert "By max_findings, 10 more were left out." in review_markdown(limited, "en")
    last = list(review_lines(limited.model_dump(mode="json")))[-1]
    assert last == "1 major in 1 file; 10 more left out (--max-findings)"


def test_the_last_message_does_not_say_nothing_found_where_nothing_was_read() -> None:
    done = a_task(kind="code_review", language="en")
    nothing = {"findings": 0, "critical": 0, "major": 0, "hunks_reviewed": 0, "left_out": 0, "complete": True}
    assert "nothing was reviewed" in message(replace(done, result={"review": nothing}), "completed")
    found = {**nothing, "findings": 1, "hunks_reviewed": 1, "left_out": 10}
    assert message(replace(done, result={"review": found}), "completed").endswith(
        "(0 critical, 0 major). By max_findings, 10 more were left out"
    )
    posted = {"review": {**found, "left_out": 0}, "posted": {"unresolved": "the token needs contents=write"}}
    told = message(replace(done, result=posted), "completed")
    assert told.endswith("could not be resolved: the token needs contents=write")
