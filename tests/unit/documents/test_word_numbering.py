"""Automatic numbers of headings and lists."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gencode.documents.number_forms import number_in_form
from gencode.documents.reader import read_document
from gencode.documents.word_numbering import WordNumbering, word_numbering
from tests.unit.documents.word_files import paragraph, run, word_file

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def level(index: int, form: str, text: str, more: str = "") -> str:
    return f'<w:lvl w:ilvl="{index}">{more}<w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'


def numbering_part(kinds: Sequence[str], numbers: str = "") -> str:
    """Kind 0 has number 1, and so on."""
    found = "".join(
        f'<w:abstractNum w:abstractNumId="{index}">{levels}</w:abstractNum>'
        for index, levels in enumerate(kinds)
    )
    named = "".join(
        f'<w:num w:numId="{index + 1}"><w:abstractNumId w:val="{index}"/></w:num>'
        for index in range(len(kinds))
    )
    return f"<w:numbering {_W}>{found}{named}{numbers}</w:numbering>"


def styles_part(*styles: str) -> str:
    return f"<w:styles {_W}>{''.join(styles)}</w:styles>"


def heading(number: int, properties: str) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{number}"><w:name w:val="heading {number}"/>'
        f"<w:pPr>{properties}</w:pPr></w:style>"
    )


def numbering(kinds: Sequence[str], numbers: str = "", styles: str = "") -> WordNumbering:
    return word_numbering(numbering_part(kinds, numbers).encode(), styles.encode())


OUTLINE = "".join(
    level(index, "decimal", ".".join(f"%{at + 1}" for at in range(index + 1))) for index in range(3)
)


def test_levels_below_begin_anew_and_levels_above_count_as_begun() -> None:
    outline = numbering([OUTLINE])
    levels = ["0", "1", "1", "2", "0", "1", "2", "2"]
    labels = [outline.label("", "1", one) for one in levels]
    assert labels == ["1", "1.1", "1.2", "1.2.1", "2", "2.1", "2.1.1", "2.1.2"]
    assert numbering([OUTLINE]).label("", "1", "2") == "1.1.1"


def test_numbers_of_one_kind_count_together_unless_one_starts_anew() -> None:
    more = (
        '<w:num w:numId="8"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="9"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    )
    outline = numbering([OUTLINE], more)
    assert [outline.label("", one, "0") for one in ("1", "8", "9", "9", "1")] == ["1", "2", "5", "6", "7"]


def test_a_style_has_the_number_of_the_style_that_it_is_based_on() -> None:
    styles = styles_part(
        heading(1, '<w:numPr><w:numId w:val="1"/></w:numPr>'),
        '<w:style w:styleId="own"><w:basedOn w:val="1"/></w:style>',
        '<w:style w:styleId="loop"><w:basedOn w:val="loop"/></w:style>',
    )
    outline = numbering([OUTLINE], styles=styles)
    assert [outline.label(style, "", "") for style in ("1", "own", "loop", "none")] == ["1", "2", "", ""]
    assert outline.label("own", "0", "") == ""


def test_a_level_names_the_style_that_it_is_for() -> None:
    kinds = [level(0, "decimal", "%1") + level(1, "decimal", "%1.%2", '<w:pStyle w:val="2"/>')]
    styles = styles_part(heading(2, '<w:numPr><w:numId w:val="1"/></w:numPr>'))
    assert numbering(kinds, styles=styles).label("2", "", "") == "1.1"


@pytest.mark.parametrize("level_text", ["x", "-1", "99", "9" * 30])
def test_levels_that_cannot_be_are_none(level_text: str) -> None:
    assert numbering([OUTLINE]).label("", "1", level_text) in ("", "1")


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("chineseCounting", {1: "一", 10: "十", 12: "十二", 20: "二十", 101: "一百零一", 110: "一百一十"}),
        ("chineseCountingThousand", {1001: "一千零一", 1010: "一千零一十", 99999: "99999"}),
        ("upperRoman", {4: "IV", 1994: "MCMXCIV", 5000: "5000"}),
        ("lowerLetter", {1: "a", 26: "z", 27: "aa", 0: "0"}),
        ("decimalEnclosedCircle", {1: "①", 20: "⑳", 21: "21"}),
        ("decimalZero", {7: "07"}),
        ("unknown", {3: "3"}),
    ],
)
def test_forms_of_numbers(form: str, numbers: dict[int, str]) -> None:
    assert {number: number_in_form(number, form) for number in numbers} == numbers


def test_a_document_has_its_numbers() -> None:
    kinds = [
        level(0, "chineseCounting", "第%1章") + level(1, "decimal", "%2."),
        level(0, "decimal", "%1)") + level(1, "chineseCounting", "（%2）"),
    ]
    styles = styles_part(
        heading(1, '<w:numPr><w:numId w:val="1"/></w:numPr>'),
        heading(2, '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>'),
    )

    def item(text: str, at: int) -> str:
        properties = f'<w:pPr><w:numPr><w:ilvl w:val="{at}"/><w:numId w:val="2"/></w:numPr></w:pPr>'
        return f"<w:p>{properties}{run(text)}</w:p>"

    body = (
        paragraph("概述", "1") + paragraph("目的", "2") + item("登录", 0) + item("密码", 1)
        + paragraph("其间的段落 \ufdd0") + item("退出", 0) + paragraph("需求", "1") + paragraph("范围", "2")
    )  # fmt: skip
    parts = {"word/numbering.xml": numbering_part(kinds), "word/styles.xml": styles}
    document = read_document("a.docx", word_file(body, parts), 1000)
    assert document.text == (
        "# 第一章 概述\n\n## 1. 目的\n\n1) 登录\n   - （一） 密码\n\n其间的段落\n\n2) 退出\n\n"
        "# 第二章 需求\n\n## 1. 范围\n"
    )
    assert [section.title for section in document.sections] == [
        "第一章 概述",
        "1. 目的",
        "第二章 需求",
        "1. 范围",
    ]
    assert document.warnings == ()
