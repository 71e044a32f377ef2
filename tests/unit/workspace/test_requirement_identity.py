"""Requirements keep their ids over versions, and changes are told by them."""

from __future__ import annotations

import random

from gencode.workspace.requirement_documents.changes import changes_between
from gencode.workspace.requirement_documents.identity import MAX_COMPARED_TEXT, name, normalised
from gencode.workspace.requirement_documents.requirement import Requirement, RequirementType, SourceQuote

STATEMENTS = [
    "The system must lock an account after 5 failed logins.",
    "Every page must load within 2 seconds.",
    "Reports can be exported as PDF.",
    "系统必须支持按部门筛选报表。",
    "管理员可以重置任意用户的密码。",
    "Passwords must have at least 12 characters.",
]


def version(
    statements: list[str], previous: list[Requirement] | None = None, section: str = ""
) -> list[Requirement]:
    found = [(one, SourceQuote(text=one, is_verified=True, section=section)) for one in statements]
    before = previous or []
    named = name(found, before, 1 + max((int(one.id[1:].split("-")[0]) for one in before), default=0))
    return [
        Requirement(id=id_, type=RequirementType.FUNCTIONAL, statement=statement, source=source)
        for id_, (statement, source) in zip(named.ids, found, strict=True)
    ]


def ids(requirements: list[Requirement]) -> dict[str, str]:
    return {one.statement: one.id for one in requirements}


def test_the_same_text_has_the_same_ids_in_every_order() -> None:
    first = version(STATEMENTS)
    for seed in range(20):
        shuffled = random.Random(seed).sample(STATEMENTS, len(STATEMENTS))
        assert ids(version(shuffled, first)) == ids(first)


def test_two_first_versions_of_the_same_text_are_alike() -> None:
    assert version(STATEMENTS) == version(STATEMENTS)


def test_case_space_width_and_punctuation_do_not_count() -> None:
    assert normalised("The  System, MUST\u3000do５") == normalised("the system must do 5.")
    assert normalised("5 MB") != normalised("6 MB")


def test_a_changed_requirement_keeps_its_id() -> None:
    first = version(STATEMENTS)
    for old, new in (
        (STATEMENTS[0], "The system must lock an account after 3 failed logins."),
        (STATEMENTS[1], "Every page must load within 1.5 seconds."),
        (STATEMENTS[3], "系统必须支持按部门与日期筛选报表。"),
        (STATEMENTS[5], "Passwords must have at least 16 characters."),
    ):
        changed = [new if one == old else one for one in STATEMENTS]
        assert ids(version(changed, first))[new] == ids(first)[old]


def test_another_requirement_gets_a_new_number_and_none_is_used_again() -> None:
    first = version(STATEMENTS)
    second = version(["Invoices are sent by post.", *STATEMENTS[1:]], first)
    assert second[0].id.startswith("R7-")
    assert first[0].id not in ids(second).values()


def test_two_that_are_alike_are_not_confused() -> None:
    """Both are as like the old one: it is guessed that neither is it."""
    first = version(["The export of reports must end within 10 seconds."])
    second = version(
        [
            "The export of reports must end within 11 seconds.",
            "The export of reports must end within 12 seconds.",
        ],
        first,
    )
    assert first[0].id not in [one.id for one in second]


def test_many_that_are_alike_are_compared_once_each() -> None:
    """By rows and columns of scores; comparing each pair with all others would take minutes."""
    first = version([f"The export of report {n:04} must end within {n} seconds." for n in range(700)])
    second = version([f"The import of report {n:04} must end within {n} seconds." for n in range(700)], first)
    assert len({one.id for one in second}) == len(second)


def test_long_statements_are_compared_by_their_beginnings() -> None:
    """500 of 2,000 characters on each side took 16 s, and a user's own model chooses the answers."""
    beginning = "".join(random.Random(1).choices("abcdefgh", k=MAX_COMPARED_TEXT))
    first = version([beginning + "x" * 1500])
    assert ids(version([beginning + "y" * 1500], first)).popitem()[1] == first[0].id


def test_changes_are_added_removed_changed_and_moved() -> None:
    first = version(STATEMENTS)
    locked = "The system must lock an account after 3 failed logins."
    second = version([STATEMENTS[4], locked, STATEMENTS[1], "A new one.", *STATEMENTS[2:4]], first)
    found = changes_between(first, second)
    assert [one.statement for one in found.added] == ["A new one."]
    assert [one.statement for one in found.removed] == [STATEMENTS[5]]
    assert [(old.statement, new.statement) for old, new in found.changed] == [(STATEMENTS[0], locked)]
    assert [new.statement for _, new in found.moved] == [STATEMENTS[4]]
    assert found.unchanged == 3


def test_another_section_is_a_move() -> None:
    first = version(STATEMENTS[:1], section="A")
    found = changes_between(first, version(STATEMENTS[:1], first, section="B"))
    assert (len(found.moved), found.unchanged) == (1, 0)


def test_documents_that_are_no_versions_of_each_other_are_compared_by_words() -> None:
    first, second = version(STATEMENTS), version(STATEMENTS[::-1])
    found = changes_between(first, second)
    assert (found.added, found.removed) == ([], [])
