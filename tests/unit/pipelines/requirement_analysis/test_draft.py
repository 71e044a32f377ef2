"""From answers to requirements: quotes are verified, duplicates merged, ids given."""

from __future__ import annotations

from typing import Any

from gencode.documents.sections import markdown_sections
from gencode.pipelines.requirement_analysis.answers import FoundRequirement, PartAnswer
from gencode.pipelines.requirement_analysis.draft import Draft, PartOutcome, draft_of
from gencode.pipelines.requirement_analysis.source import Part, Source
from gencode.workspace.requirement_documents.requirement import PartStatus, RequirementType

TEXT = "# Login\nLock after 5 failed logins.\n\n# 导出\n系统必须 支持导出。Lock after 5 failed logins.\n"
SPLIT = TEXT.index("# 导出")


def found(statement: str, quote: str = "", **fields: Any) -> FoundRequirement:
    lists: dict[str, Any] = {"acceptance_criteria": [], "open_questions": [], "test_points": [], **fields}
    return FoundRequirement(type=RequirementType.FUNCTIONAL, statement=statement, quote=quote, **lists)


def draft(*answers: list[FoundRequirement], previous: Draft | None = None) -> Draft:
    sections = markdown_sections(TEXT)
    parts = [
        Part(name="1", section="Login", start=0, end=SPLIT),
        Part(name="2", section="导出", start=SPLIT, end=len(TEXT)),
    ]
    source = Source(
        document_name="d",
        language="en",
        text=TEXT,
        sections=[(one.start, one.title, one.page) for one in sections],
        parts=parts,
        previous=previous.requirements if previous else [],
        next_number=previous.next_number if previous else 1,
    )
    outcomes = [
        PartOutcome(
            part=part,
            status=PartStatus.ANALYSED,
            answer=PartAnswer(requirements=list(given), open_questions=[]),
        )
        for part, given in zip(parts, answers, strict=False)
    ]
    return draft_of(source, outcomes[::-1])


def test_a_quote_is_where_it_stands_in_its_part() -> None:
    made = draft(
        [], [found("Accounts are locked.", "Lock after 5 failed logins."), found("b", "系统必须支持导出")]
    )
    export, locks = made.requirements
    assert (locks.source.start, locks.source.section) == (TEXT.rindex("Lock"), "导出")
    assert export.source.text == "系统必须 支持导出"
    assert all(one.source.is_verified for one in made.requirements)


def test_an_invented_quote_is_marked() -> None:
    (one,) = draft([found("Accounts are locked.", "Lock after 6 failed logins.")]).requirements
    assert (one.source.is_verified, one.source.start, one.source.section) == (False, None, "Login")
    assert one.source.text == "Lock after 6 failed logins."


def test_duplicates_are_one_requirement_with_all_details() -> None:
    first = found("Accounts are locked.", "invented", acceptance_criteria=["after 5"], test_points=["4"])
    second = found(
        "accounts are locked", "Lock after 5 failed logins", acceptance_criteria=["After 5.", "at once"]
    )
    (one,) = draft([first], [second]).requirements
    assert (one.source.is_verified, one.statement) == (True, "Accounts are locked.")
    assert one.acceptance_criteria == ["after 5", "at once"]
    assert one.test_points == ["4"]


def test_the_same_answers_in_any_order_give_the_same_draft_and_ids() -> None:
    answers = [found(f"Requirement {n}", "Lock after 5 failed logins.") for n in range(9)]
    assert draft(answers) == draft(answers)
    again = draft(answers, previous=draft(answers))
    assert [one.id for one in again.requirements] == [one.id for one in draft(answers).requirements]


def test_a_rewritten_statement_about_the_same_words_keeps_its_id() -> None:
    first = draft([found("Accounts are locked.", "Lock after 5 failed logins.")])
    second = draft([found("User accounts get locked out.", "Lock after 5 failed logins.")], previous=first)
    assert [one.id for one in second.requirements] == [one.id for one in first.requirements]


def test_every_part_is_in_the_ledger() -> None:
    made = draft([found("a")], [])
    assert [(one.number, one.requirements, one.status.value) for one in made.parts] == [
        (1, 1, "analysed"),
        (2, 0, "analysed"),
    ]
