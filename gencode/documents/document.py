"""What is read from a file: a text with its pages or sections, counts and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_CHARACTERS = 4_000_000
"""Most characters that a document can have, whatever a caller allows; a book of 1,000 pages has a million."""
MAX_SECTIONS = 20_000
"""Most sections of a document; a book of 1,000 pages has some hundred headings."""


class DocumentKind(StrEnum):
    """Each is the suffix of its files."""

    TXT = "txt"
    MD = "md"
    PDF = "pdf"
    DOC = "doc"
    DOCX = "docx"


class WarningCode(StrEnum):
    """What the text lacks, or what was assumed. Each has a message in `_MESSAGES`."""

    PAGES_WITHOUT_TEXT = "pages_without_text"
    TABLES_AS_LINES = "tables_as_lines"
    PICTURES_LEFT_OUT = "pictures_left_out"
    FORMULAS_LEFT_OUT = "formulas_left_out"
    COMMENTS_LEFT_OUT = "comments_left_out"
    TEXT_LEFT_OUT = "text_left_out"
    CONTROL_CHARACTERS_REMOVED = "control_characters_removed"
    REPLACEMENT_CHARACTERS = "replacement_characters"
    ENCODING_DETECTED = "encoding_detected"
    EXTERNAL_READER = "external_reader"


_MESSAGES: Mapping[WarningCode, tuple[str, str]] = {
    WarningCode.PAGES_WITHOUT_TEXT: (
        "{count} of {total} pages have no text that can be read ({pages}): they may be scans",
        "共 {total} 页，其中 {count} 页没有可读取的文字（第 {pages} 页），可能是扫描件",
    ),
    WarningCode.TABLES_AS_LINES: (
        "tables of {count} pages are in the text line by line, not as tables ({pages})",
        "{count} 页中的表格按行写入文本，未保留表格结构（第 {pages} 页）",
    ),
    WarningCode.PICTURES_LEFT_OUT: ("{count} pictures were left out", "略去了 {count} 张图片"),
    WarningCode.FORMULAS_LEFT_OUT: ("{count} formulas were left out", "略去了 {count} 个公式"),
    WarningCode.COMMENTS_LEFT_OUT: ("{count} comments were left out", "略去了 {count} 条批注"),
    WarningCode.TEXT_LEFT_OUT: (
        "{count} characters were left out: they are in parts of the document that are not read",
        "略去了 {count} 个字符，它们位于无法读取的部分",
    ),
    WarningCode.CONTROL_CHARACTERS_REMOVED: (
        "{count} control characters were removed",
        "删除了 {count} 个控制字符",
    ),
    WarningCode.REPLACEMENT_CHARACTERS: (
        "{count} characters of the file had been lost before it was uploaded (U+FFFD)",
        "文件中有 {count} 个字符在上传之前已经丢失（U+FFFD）",
    ),
    WarningCode.ENCODING_DETECTED: (
        "the encoding was detected from the content: {encoding}",
        "编码根据内容判定为 {encoding}",
    ),
    WarningCode.EXTERNAL_READER: (
        "the text was read by {program}: deleted text may be in it, and accented letters may be wrong",
        "文本由 {program} 读取，其中可能包含已删除的文字，带重音的字母可能有误",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentWarning:
    """`values`: of the placeholders of the message."""

    code: WarningCode
    values: Mapping[str, int | str] = field(default_factory=dict)

    def message(self, language: str = "en") -> str:
        """In English, or in Chinese for "zh"."""
        english, chinese = _MESSAGES[self.code]
        return (chinese if language == "zh" else english).format(**self.values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A page, or what stands under a heading up to the next heading of any level.

    start, end  the slice of the document's text; sections are in order and cover the text without gaps
    page        from 1; None where the kind of file has no pages
    title       of the heading; "" before the first one, and for pages
    level       of the heading, from 1; 0 without one
    """

    start: int
    end: int
    page: int | None = None
    title: str = ""
    level: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """`pages` is 0 where the kind of file has none."""

    characters: int
    pages: int = 0
    tables: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The text is Markdown where it has structure (headings, lists, tables); words are never escaped, so that
    a quotation is found in it. Lines end with a line feed."""

    kind: DocumentKind
    text: str
    sections: tuple[Section, ...]
    counts: Counts
    warnings: tuple[DocumentWarning, ...] = ()

    def section_at(self, offset: int) -> Section:
        """The page or section of a character. Raises ValueError outside of the text."""
        for section in self.sections:
            if section.start <= offset < section.end:
                return section
        raise ValueError(f"the text has no character {offset}")
