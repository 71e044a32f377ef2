"""The report as Markdown: what a document says is plain text there."""

from __future__ import annotations

import pytest

from gencode.pipelines.requirement_analysis.markdown import report_markdown
from gencode.workspace.requirement_documents.requirement import (
    Analysis,
    ComparisonLedger,
    PartStatus,
    Requirement,
    RequirementType,
    SourceQuote,
)


def report(statement: str, section: str = "") -> list[str]:
    quote = SourceQuote(text=statement, is_verified=True, section=section)
    one = Requirement(id="R1-3fa9c1", type=RequirementType.FUNCTIONAL, statement=statement, source=quote)
    analysis = Analysis(
        document_id="d",
        document_name="wms.md",
        task_id="t",
        model="m",
        language="en",
        is_complete=True,
        by_rules=False,
        requirements=[one],
        contradictions=[],
        open_questions=[],
        parts=[],
        comparison=ComparisonLedger(status=PartStatus.ANALYSED, compared=1, of=1),
        left_out=0,
        next_number=2,
    )
    return report_markdown(analysis).splitlines()


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("2. Log in", r"2\. Log in"),
        ("2) Log in", r"2\) Log in"),
        ("2.5 s are enough", r"2\.5 s are enough"),
        ("# Log in", r"\# Log in"),
        ("[Log](in)", r"\[Log\](in)"),
        ("5 users log in", "5 users log in"),
    ],
)
def test_a_statement_makes_no_list_heading_or_link(statement: str, shown: str) -> None:
    """CommonMark knows a backslash before punctuation only: before a digit, it would be shown."""
    assert shown in report(statement)


def test_the_section_of_a_quote_is_escaped_once() -> None:
    assert r"> Source \[2\. Login\]: Log in" in report("Log in", "2. Login")
