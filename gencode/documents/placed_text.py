"""The text of a PDF page with its tables: each character is put into the cell where it stands."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pypdfium2
from pypdfium2 import raw

from gencode.documents.markdown_table import markdown_table
from gencode.documents.pdf_lines import Point, View
from gencode.documents.pdf_tables import Box, PageTables, Table

_Place = tuple[int, int, int]
"""Indexes of a table, a row and a column."""


@dataclass(kw_only=True, slots=True)
class _Layout:
    """`outside`: text between tables, and where each table begins, its index."""

    outside: list[str | int] = field(default_factory=list)
    cells: dict[_Place, list[str]] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)

    def add(self, character: str, place: _Place | None) -> None:
        if place is None:
            self.outside.append(character)
            return
        if place[0] not in self.begun:
            self.begun.add(place[0])
            self.outside.append(place[0])
        self.cells.setdefault(place, []).append(character)


def text_with_tables(
    text_page: pypdfium2.PdfTextPage, view: View, tables: PageTables, clean: Callable[[str], str]
) -> tuple[str, int]:
    """The text, and the number of tables that have any.

    In the order of the page's text; a table stands where its first character does. A character in no cell
    stays in the text.

    clean  is applied to the text of each cell, and to that between tables
    """
    layout = _Layout()
    place: _Place | None = None
    for character, point in _characters(text_page, view):
        if point:  # what PDFium inserts between characters is without a place
            place = _place(tables, point, place)
        layout.add(character, place)
    parts: list[str] = []
    for table, text in _runs(layout):
        parts.append(clean(text) if table is None else _rendered(layout, table, tables[table], clean))
    return "\n\n".join(filter(None, parts)), len(layout.begun)


def _runs(layout: _Layout) -> Iterator[tuple[int | None, str]]:
    run: list[str] = []
    for piece in layout.outside:
        if isinstance(piece, str):
            run.append(piece)
        else:
            yield None, "".join(run)
            yield piece, ""
            run = []
    yield None, "".join(run)


def _rendered(layout: _Layout, index: int, table: Table, clean: Callable[[str], str]) -> str:
    def text(row: int, column: int) -> str:
        return clean("".join(layout.cells.get((index, row, column), ())))

    return markdown_table(
        [[text(row, column) for column in range(len(cells))] for row, cells in enumerate(table)]
    )


def _characters(text_page: pypdfium2.PdfTextPage, view: View) -> Iterator[tuple[str, Point | None]]:
    """Each with its middle."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    for index in range(text_page.count_chars()):
        code = raw.FPDFText_GetUnicode(text_page, index)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            continue
        placed = raw.FPDFText_IsGenerated(text_page, index) == 0 and raw.FPDFText_GetCharBox(
            text_page, index, left, right, bottom, top
        )
        middle = view(((left.value + right.value) / 2, (bottom.value + top.value) / 2))
        yield chr(code), middle if placed else None


def _place(tables: PageTables, point: Point, former: _Place | None) -> _Place | None:
    """`former`: of the character before, which most often is in the same cell."""
    if former and (cell := tables[former[0]][former[1]][former[2]]) and _is_in(cell, point):
        return former
    for number, table in enumerate(tables):
        for row, cells in enumerate(table):
            for column, cell in enumerate(cells):
                if cell and _is_in(cell, point):
                    return number, row, column
    return None


def _is_in(box: Box, point: Point) -> bool:
    return box[0] <= point[0] < box[2] and box[1] <= point[1] < box[3]
