"""Word documents (.docx) in Markdown, through mammoth's tree of a document."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import mammoth
from mammoth import documents as tree

from gencode.documents.characters import with_line_feeds, without_control_characters
from gencode.documents.document import Counts, Document, DocumentKind, DocumentWarning, WarningCode
from gencode.documents.errors import DocumentWithoutText
from gencode.documents.markdown_table import markdown_table
from gencode.documents.sections import markdown_sections
from gencode.documents.word_package import word_package
from gencode.documents.xml_filter import LABEL_MARK

_MAX_SPAN = 64
"""Columns of a merged cell; Word has at most 63 in a table."""
_MARKDOWN_NUMBER = re.compile(r"[0-9]{1,9}[.)]")
_HEADINGS = ("heading ", "标题 ", "標題 ")
_TITLES = ("title", "标题", "標題")


def read_word(data: bytes) -> Document:
    """Deleted text is left out and inserted text is in. Raises DocumentError."""
    package = word_package(data)
    renderer = _Renderer()
    text = renderer.render(_parsed(package.archive))
    text = without_control_characters(with_line_feeds(text))[0]
    if not text.strip():
        raise DocumentWithoutText("The document has no text; pictures of text are not read")
    left_out = package.left_out
    counted = (
        (WarningCode.PICTURES_LEFT_OUT, left_out.get("blip", 0) + left_out.get("imagedata", 0)),
        (WarningCode.FORMULAS_LEFT_OUT, left_out.get("oMath", 0)),
        (WarningCode.COMMENTS_LEFT_OUT, left_out.get("commentReference", 0)),
        (WarningCode.TEXT_LEFT_OUT, package.text_characters - renderer.characters),
    )
    return Document(
        kind=DocumentKind.DOCX,
        text=text,
        sections=markdown_sections(text),
        counts=Counts(characters=len(text), tables=renderer.tables),
        warnings=tuple(
            DocumentWarning(code=code, values={"count": count}) for code, count in counted if count > 0
        ),
    )


def _parsed(archive: bytes) -> Any:
    """The tree, which mammoth hands to its transformation; there is nothing left to convert."""
    found: list[Any] = []

    def take(document: Any) -> Any:
        found.append(document)
        return document.copy(children=[])

    mammoth.convert_to_markdown(
        io.BytesIO(archive), transform_document=take, include_embedded_style_map=False
    )
    return found[0]


class _Renderer:
    """`tables` and `characters`: how many were rendered; white space is not counted."""

    def __init__(self) -> None:
        self.tables = self.characters = 0
        self._notes: dict[tuple[str, str], int] = {}
        """Numbers of notes by type and id, in the order of their references."""

    def render(self, document: Any) -> str:
        """With footnotes and endnotes as Markdown's footnotes at the end."""
        text = self._blocks(document.children)
        return "\n\n".join(filter(None, [text, "\n".join(self._footnotes(document.notes))])) + "\n"

    def _footnotes(self, notes: Any) -> Iterator[str]:
        """A note may refer to further notes."""
        waiting = list(self._notes)
        while waiting:
            note_type, note_id = key = waiting.pop(0)
            known = len(self._notes)
            with suppress(KeyError):  # a reference to no note
                body = self._blocks(notes.find_note(note_type, note_id).body)
                yield f"[^{self._notes[key]}]: {' '.join(body.split())}"
            waiting += list(self._notes)[known:]

    def _blocks(self, elements: Iterable[Any]) -> str:
        """Blocks are separated by an empty line, items of a list by none."""
        parts: list[str] = []
        was_item = False
        for text, is_item in self._rendered(elements):
            parts += ["\n" if is_item and was_item else "\n\n", text]
            was_item = is_item
        return "".join(parts[1:])

    def _rendered(self, elements: Iterable[Any]) -> Iterator[tuple[str, bool]]:
        """Each block, and whether it is an item of a list."""
        for element in elements:
            if isinstance(element, tree.Table):
                text, is_item = self._table(element), False
            elif isinstance(element, tree.Paragraph):
                text, is_item = self._paragraph(element)
            else:
                text, is_item = self._piece(element).strip(), False
            if text:
                yield text, is_item

    # --- paragraphs ---

    def _paragraph(self, paragraph: Any) -> tuple[str, bool]:
        label, text = _label_and_text(self._inline(paragraph.children))
        if not text:
            return "", False
        level = _heading_level(paragraph.style_name or "")
        if paragraph.numbering and not level:
            return _item(paragraph.numbering, label, text), True
        labelled = f"{label} {text}" if label else text
        return (f"{'#' * level} {' '.join(labelled.split())}" if level else labelled), False

    def _inline(self, elements: Iterable[Any]) -> str:
        return "".join(map(self._piece, elements))

    def _piece(self, element: Any) -> str:
        match element:
            case tree.Text():
                text = str(element.value)
                self.characters += 0 if text.startswith(LABEL_MARK) else len("".join(text.split()))
                return text
            case tree.Tab():
                return "\t"
            case tree.Break():
                return "\n"
            case tree.Checkbox():
                return "☑" if element.checked else "☐"
            case tree.NoteReference():
                key = (str(element.note_type), str(element.note_id))
                return f"[^{self._notes.setdefault(key, len(self._notes) + 1)}]"
            case tree.Table() | tree.Paragraph():  # of a text box
                return f"\n{self._blocks([element])}\n"
        return _marked(element, self._inline(getattr(element, "children", ())))

    # --- tables ---

    def _table(self, table: Any) -> str:
        covered: dict[int, int] = {}
        rows = (row for row in table.children if isinstance(row, tree.TableRow))
        text = markdown_table([self._row(number, row, covered) for number, row in enumerate(rows)])
        self.tables += bool(text)
        return text

    def _row(self, number: int, row: Any, covered: dict[int, int]) -> list[str]:
        """The text of a merged cell is in its first field, the others are empty.

        covered  by column, the first row below its merged cell
        """
        cells: list[str] = []
        for cell in row.children:
            while covered.get(len(cells), 0) > number:
                cells.append("")
            if not isinstance(cell, tree.TableCell):
                continue
            width = min(max(int(cell.colspan), 1), _MAX_SPAN)
            end = number + int(cell.rowspan)
            covered.update(dict.fromkeys(range(len(cells), len(cells) + width), end))
            cells += [self._blocks(cell.children), *[""] * (width - 1)]
        return cells


def _label_and_text(text: str) -> tuple[str, str]:
    """The automatic number of a paragraph, and the rest."""
    if not text.startswith(LABEL_MARK):
        return "", text.strip()
    _, label, rest = text.split(LABEL_MARK, 2)
    return label, rest.strip()


def _item(numbering: Any, label: str, text: str) -> str:
    """A number that Markdown does not know as one, such as `（二）`, is text."""
    level = min(max(int(numbering.level_index), 0), 8)
    mark = label if _MARKDOWN_NUMBER.fullmatch(label) else f"- {label}".strip()
    indent = "   " * level
    return f"{indent}{mark} " + text.replace("\n", f"\n{indent}   ")


def _marked(element: Any, text: str) -> str:
    """Marks what has another meaning without its form: a struck-out text, a power."""
    if not isinstance(element, tree.Run) or not text.strip():
        return text
    if element.is_strikethrough:
        return f"~~{text}~~"
    is_raised = element.vertical_alignment == "superscript" and not text.startswith("[^")
    return f"<sup>{text}</sup>" if is_raised else text


def _heading_level(style_name: str) -> int:
    """0 for other styles."""
    name = style_name.strip().lower()
    if name in _TITLES:
        return 1
    for prefix in _HEADINGS:
        number = name.removeprefix(prefix)
        if number != name and number[:1].isdigit():
            return min(max(int(number[0]), 1), 6)
    return 0
