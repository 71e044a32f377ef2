"""PDF files: the text of each page, with ruled tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pypdfium2
from pypdfium2 import raw

from gencode.documents.characters import (
    is_readable,
    with_line_feeds,
    without_control_characters,
    without_presentation_forms,
)
from gencode.documents.document import (
    Counts,
    Document,
    DocumentKind,
    DocumentWarning,
    Section,
    WarningCode,
)
from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentTooLarge,
    DocumentUnreadable,
    DocumentWithoutText,
)
from gencode.documents.pdf_lines import MAX_SEGMENTS, view_of
from gencode.documents.pdf_tables import PageTables, tables_of_pages
from gencode.documents.placed_text import text_with_tables

MAX_PAGES = 5_000
_MAX_TABLE_PAGES, _MAX_TABLE_CHARACTERS = 500, 300_000
"""Pages whose tables are looked for, and their characters: about 2 s of processor time."""
_MAX_LISTED = 20
_BROKEN_WORD = re.compile("[\ufffe\x02]\\s*")
"""PDFium's mark for a hyphen at the end of a line."""
_EMPTY_LINES = re.compile(r"\n{3,}")
_PASSWORD_ERRORS = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)


@dataclass(kw_only=True, slots=True)
class _Pages:
    """Numbers of pages are indexes. `with_lines`: those that may have tables."""

    texts: list[str] = field(default_factory=list)
    with_lines: list[int] = field(default_factory=list)


def read_pdf(data: bytes) -> Document:
    """Raises DocumentError."""
    with closing(_opened(data)) as pdf:
        if len(pdf) > MAX_PAGES:
            raise DocumentTooLarge(f"The file has {len(pdf)} pages, which is more than {MAX_PAGES}")
        pages = _read_pages(pdf)
        without_text = [index for index, text in enumerate(pages.texts) if not is_readable(text)]
        if len(without_text) == len(pages.texts):
            raise DocumentWithoutText(
                "The file is a scan without text: its pages are pictures, or their characters are unknown. "
                "Upload a file with text: the original document, or the scan after text recognition"
            )
        candidates, left_out = _table_pages(pages)
        found = tables_of_pages(pdf, candidates)
        placed = 0
        for index, tables in found.tables.items():
            pages.texts[index], count = _with_tables(pdf, index, tables)
            placed += count
    for index in without_text:
        pages.texts[index] = ""
    warnings = [
        *_page_warning(WarningCode.PAGES_WITHOUT_TEXT, without_text, len(pages.texts)),
        *_page_warning(WarningCode.TABLES_AS_LINES, [*found.failed, *left_out], len(pages.texts)),
    ]
    return _document(pages.texts, placed, warnings)


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    """With an empty password, which opens files that are encrypted against changes only."""
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _PASSWORD_ERRORS:
            raise DocumentEncrypted(
                "The file needs a password to be opened. Save it without a password and upload that"
            ) from None
        raise DocumentUnreadable("The file is damaged: it cannot be opened as a PDF file") from None


# --- pages ---------------------------------------------------------------------------------------------


def _read_pages(pdf: pypdfium2.PdfDocument) -> _Pages:
    pages = _Pages()
    for index in range(len(pdf)):
        try:
            with closing(pdf[index]) as page, closing(page.get_textpage()) as text_page:
                text = _clean(text_page.get_text_bounded())
                if text.strip() and _has_lines(page):
                    pages.with_lines.append(index)
        except pypdfium2.PdfiumError:
            text = ""
        pages.texts.append(text)
    return pages


def _clean(text: str) -> str:
    text = _BROKEN_WORD.sub("", with_line_feeds(text))
    text = without_presentation_forms(without_control_characters(text)[0])
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip()


def _has_lines(page: pypdfium2.PdfPage) -> bool:
    """Whether it may have a table: all lines of one may be one path."""
    objects = range(min(raw.FPDFPage_CountObjects(page), MAX_SEGMENTS))
    kinds = (raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, index)) for index in objects)
    return raw.FPDF_PAGEOBJ_PATH in kinds


# --- tables --------------------------------------------------------------------------------------------


def _table_pages(pages: _Pages) -> tuple[Sequence[int], Sequence[int]]:
    """The pages whose tables are looked for, and those that are left out because there are too many."""
    chosen: list[int] = []
    characters = 0
    for index in pages.with_lines:
        characters += len(pages.texts[index])
        if len(chosen) == _MAX_TABLE_PAGES or characters > _MAX_TABLE_CHARACTERS:
            break
        chosen.append(index)
    return chosen, pages.with_lines[len(chosen) :]


def _with_tables(pdf: pypdfium2.PdfDocument, index: int, tables: PageTables) -> tuple[str, int]:
    with closing(pdf[index]) as page, closing(page.get_textpage()) as text_page:
        return text_with_tables(text_page, view_of(page), tables, _clean)


# --- the document --------------------------------------------------------------------------------------


def _document(texts: Iterable[str], tables: int, warnings: Sequence[DocumentWarning]) -> Document:
    parts, sections = [], []
    start = 0
    for number, text in enumerate(texts, 1):
        part = f"{text}\n\n" if text else ""
        parts.append(part)
        sections.append(Section(start=start, end=start + len(part), page=number))
        start += len(part)
    text = "".join(parts)
    return Document(
        kind=DocumentKind.PDF,
        text=text,
        sections=tuple(sections),
        counts=Counts(characters=len(text), pages=len(sections), tables=tables),
        warnings=tuple(warnings),
    )


def _page_warning(code: WarningCode, indexes: Sequence[int], total: int) -> Iterator[DocumentWarning]:
    if indexes:
        listed = ", ".join(str(index + 1) for index in sorted(indexes)[:_MAX_LISTED])
        more = ", …" if len(indexes) > _MAX_LISTED else ""
        values: Mapping[str, int | str] = {"count": len(indexes), "total": total, "pages": listed + more}
        yield DocumentWarning(code=code, values=values)
