"""Where the ruled tables of PDF pages are: PDFium knows the lines, pdfplumber makes cells of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import pypdfium2
from pdfplumber import table as plumber

from gencode.documents.pdf_lines import drawn_edges

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as `pdf_lines.View` gives them."""
Table = Sequence[Sequence[Box | None]]
"""Rows of fields; None for a field that a merged cell covers."""
PageTables = Sequence[Table]
_CPU_SECONDS = 3.0
_MAX_EDGES, _MAX_CELLS = 1_000, 2_000
"""Of a page, after lines in one line are joined."""
_TOLERANCE = 3
"""Points by which lines may miss each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundTables:
    """By the index of the page; pages without tables are missing. `failed`: pages that could not be read."""

    tables: Mapping[int, PageTables]
    failed: Sequence[int]


class _OutOfTime(BaseException):
    """Not an Exception, which the reading of one page may end with."""


def tables_of_pages(pdf: pypdfium2.PdfDocument, indexes: Sequence[int]) -> FoundTables:
    """The tables of at least two rows and two columns whose cells are ruled.

    A page at which this fails loses the form of its tables, never their text.
    """
    tables: dict[int, PageTables] = {}
    failed = list(indexes)
    with suppress(_OutOfTime), _cpu_limit(_CPU_SECONDS):
        for index in indexes:
            with suppress(Exception), closing(pdf[index]) as page:
                found = tables_of(page)
                failed.remove(index)
                if found:
                    tables[index] = found
    return FoundTables(tables=tables, failed=failed)


def tables_of(page: pypdfium2.PdfPage) -> PageTables:
    """None of a page with so many lines that they are a drawing."""
    edges = plumber.merge_edges(drawn_edges(page), *[_TOLERANCE] * 4)
    if len(edges) > _MAX_EDGES:
        return []
    crossings = plumber.edges_to_intersections(edges, _TOLERANCE, _TOLERANCE)
    cells = plumber.intersections_to_cells(crossings)
    if len(cells) > _MAX_CELLS:
        return []
    tables = [_rows(found) for found in plumber.cells_to_tables(cells)]
    return [table for table in tables if _is_table(table)]


def _rows(cells: Sequence[Box]) -> Table:
    columns = sorted({cell[0] for cell in cells})
    rows = sorted({cell[1] for cell in cells})
    found = {(cell[0], cell[1]): cell for cell in cells}
    return [[found.get((left, top)) for left in columns] for top in rows]


def _is_table(table: Table) -> bool:
    cells = sum(cell is not None for row in table for cell in row)
    return len(table) >= 2 and len(table[0]) >= 2 and cells >= 3


@contextmanager
def _cpu_limit(seconds: float) -> Iterator[None]:
    """Raises _OutOfTime within the block. In the main thread of a process without another use of SIGPROF."""

    def end(*_: object) -> None:
        raise _OutOfTime

    former = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
