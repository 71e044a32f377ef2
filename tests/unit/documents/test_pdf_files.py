"""PDF files: pages, columns, tables, encryption, scans."""

from __future__ import annotations

from typing import NoReturn

import pytest

from gencode.documents import pdf_lines, pdf_tables, pdf_text
from gencode.documents.document import Document, WarningCode
from gencode.documents.errors import DocumentEncrypted, DocumentError, DocumentTooLarge, DocumentWithoutText
from gencode.documents.reader import read_document
from tests.unit.documents.pdf_files import Line, Place, encrypted_pdf, pdf_file

TABLE: list[Place] = [
    (50, 700, "表前的文字"),
    (55, 625, "编号"),
    (155, 625, "名称"),
    (55, 605, "R-1"),
    (155, 605, "用户登录"),
    (50, 560, "表后的文字"),
]
GRID: list[Line] = [(50, y, 350, y) for y in (600, 620, 640)] + [(x, 600, x, 640) for x in (50, 150, 350)]
"""Of two rows and two columns."""


def read(data: bytes) -> Document:
    return read_document("需求.pdf", data, 100_000)


def test_pages_have_exact_text_and_offsets() -> None:
    document = read(
        pdf_file([[(50, 700, "第一章 需求"), (50, 680, "系统应支持登录。")], [(50, 700, "第二页")]])
    )
    assert document.text == "第一章 需求\n系统应支持登录。\n\n第二页\n\n"
    assert document.counts.pages == 2
    second = document.section_at(document.text.index("第二页"))
    assert (second.page, document.text[second.start : second.end]) == (2, "第二页\n\n")


def test_columns_are_read_one_after_the_other() -> None:
    left = [(50.0, 700.0 - 20 * line, f"左栏第{line}行的文字") for line in range(5)]
    right = [(320.0, 700.0 - 20 * line, f"右栏第{line}行的文字") for line in range(5)]
    lines = read(pdf_file([left + right])).text.split()
    assert lines == [text for _, _, text in left + right]


def test_a_ruled_table_is_a_table_in_its_place() -> None:
    document = read(pdf_file([TABLE], GRID))
    assert document.text == (
        "表前的文字\n\n| 编号 | 名称 |\n| --- | --- |\n| R-1 | 用户登录 |\n\n表后的文字\n\n"
    )
    assert document.counts.tables == 1
    assert document.warnings == ()


def test_a_merged_cell_is_there_once() -> None:
    merged = [line for line in GRID if line != (150, 600, 150, 640)] + [(150, 600, 150, 620)]
    merged.append((350, 600, 350, 640))
    places = [(55.0, 625.0, "跨两列的标题"), *TABLE[3:5]]
    assert read(pdf_file([places], merged)).text.startswith("| 跨两列的标题 |  |\n")


@pytest.mark.parametrize(("rotation", "first_row"), [(90, "| R-1 | 编号 |"), (180, "| 用户登录 | R-1 |")])
def test_the_rows_of_a_turned_page_are_those_that_are_seen(rotation: int, first_row: str) -> None:
    data = pdf_file([TABLE], GRID).replace(b"/Type /Page ", b"/Type /Page /Rotate %d " % rotation)
    assert f"{first_row}\n" in read(data).text


def test_lines_in_one_path_are_a_table() -> None:
    rectangles = b"50 600 100 20 re 150 600 200 20 re 50 620 100 20 re 150 620 200 20 re S\n"
    objects = pdf_file([TABLE])
    mended = objects.replace(b"BT /F", rectangles + b"BT /F", 1)
    assert read(mended.replace(b"/Length ", b"/Length 99")).counts.tables == 1


def test_a_drawing_of_many_lines_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_lines, "MAX_SEGMENTS", 5)
    document = read(pdf_file([TABLE], GRID))
    assert (document.counts.tables, document.warnings) == (0, ())


def test_lines_around_no_text_are_no_table() -> None:
    document = read(pdf_file([TABLE[:1]], GRID))
    assert (document.text, document.counts.tables) == ("表前的文字\n\n", 0)


def test_tables_that_cannot_be_read_are_lines_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> NoReturn:
        raise ValueError

    monkeypatch.setattr(pdf_tables, "tables_of", fail)
    document = read(pdf_file([TABLE], GRID))
    assert document.text.split() == [text for _, _, text in TABLE]
    assert [warning.code for warning in document.warnings] == [WarningCode.TABLES_AS_LINES]


def test_more_tables_than_are_looked_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "_MAX_TABLE_PAGES", 1)
    document = read(pdf_file([TABLE, TABLE, TABLE], GRID))
    assert document.counts.tables == 1
    assert document.text.count("用户登录") == 3
    assert document.warnings[0].values == {"count": 2, "total": 3, "pages": "2, 3"}


def test_pages_without_text_are_told() -> None:
    document = read(pdf_file([[], [(50, 700, "有文字的页")], []]))
    assert document.warnings[0].message() == (
        "2 of 3 pages have no text that can be read (1, 3): they may be scans"
    )
    assert [(one.page, one.end - one.start) for one in document.sections] == [(1, 0), (2, 7), (3, 0)]


@pytest.mark.parametrize("data", [pdf_file([[], []]), pdf_file([[(50, 700, "需求文档")]], to_unicode=False)])
def test_a_scan_and_a_file_of_unknown_characters_are_errors(data: bytes) -> None:
    with pytest.raises(DocumentWithoutText, match="scan without text"):
        read(data)


def test_an_owner_password_does_not_matter_and_a_user_password_does() -> None:
    assert read(encrypted_pdf("系统需求")).text == "系统需求\n\n"
    with pytest.raises(DocumentEncrypted, match="Save it without a password"):
        read(encrypted_pdf("系统需求", user_password=b"secret"))


def test_radicals_and_ligatures_are_ordinary_characters() -> None:
    assert read(pdf_file([[(50, 700, "\u2f64\u2fa6 e\ufb03cient")]])).text == "用金 efficient\n\n"


def test_too_many_pages_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "MAX_PAGES", 1)
    with pytest.raises(DocumentTooLarge, match="2 pages"):
        read(pdf_file([[(50, 700, "一")], [(50, 700, "二")]]))


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n", pdf_file([[(50, 700, "一")]])[:400], b"%PDF-1.7\n" + bytes(5000)]
)
def test_a_file_that_cannot_be_opened_is_an_error(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read(data)


def test_a_broken_table_of_objects_is_mended() -> None:
    data = pdf_file([[(50, 700, "系统需求")]])
    assert read(data.replace(b"startxref\n", b"startxref\n9")).text == "系统需求\n\n"
