"""A document in parts: they cover it, and are cut where a reader would."""

from __future__ import annotations

import pytest

from gencode.documents.sections import markdown_sections
from gencode.pipelines.requirement_analysis.source import MAX_PARTS, PART, SMALLEST, Part, halves, parts_of

SENTENCES = "The system must do this and that. " * 40


def sized(text: str) -> list[Part]:
    return parts_of(text, markdown_sections(text))


def covers(text: str, parts: list[Part]) -> bool:
    return "".join(text[part.start : part.end] for part in parts) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "# A\n\nshort\n\n# B\n\nshort\n",
        "\n".join(f"# Section {n}\n\n{SENTENCES}\n" for n in range(30)),
        "x" * 50_000,
        "系统必须支持导出。" * 5_000,
        ("word " * 300 + "\n\n") * 60,
    ],
)
def test_parts_cover_the_text_and_are_of_bounded_size(text: str) -> None:
    parts = sized(text)
    assert covers(text, parts)
    assert all(part.end - part.start <= PART for part in parts)
    assert [part.name for part in parts] == [str(number) for number in range(1, len(parts) + 1)]


def test_a_very_long_text_has_a_bounded_number_of_parts() -> None:
    text = "The system must. " * 250_000
    parts = sized(text)
    assert covers(text, parts)
    assert len(parts) <= MAX_PARTS


def test_short_sections_are_one_part_and_long_ones_their_own() -> None:
    text = f"# A\n\nshort\n\n# B\n\nshort\n\n# C\n\n{SENTENCES * 4}\n\n# D\n\n{SENTENCES * 4}"
    assert [part.section for part in sized(text)] == ["A", "D"]


def test_a_cut_is_between_paragraphs_else_between_sentences() -> None:
    paragraphs = ("p" * 900 + "\n\n") * 20
    assert all(paragraphs[: part.end].endswith("\n\n") for part in sized(paragraphs))
    assert all(
        SENTENCES * 10 == "" or (SENTENCES * 10)[: p.end].endswith(". ") for p in sized(SENTENCES * 10)
    )


def test_halves_cover_their_part_until_it_is_too_small() -> None:
    text = SENTENCES * 3
    (part,) = sized(text)
    first, second = halves(text, part)
    assert (first.start, first.end, second.end) == (part.start, second.start, part.end)
    assert (first.name, second.name, second.number) == ("1.1", "1.2", 1)
    assert min(first.end - first.start, second.end - second.start) >= SMALLEST
    assert halves(text, part.model_copy(update={"end": 2 * SMALLEST - 1})) == []
