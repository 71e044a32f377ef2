"""Copies the XML of a Word document without what its reader does not need, and within limits.

The reader builds two trees of all that it is given, with over a kilobyte for each element, so its memory is
bounded by their number. A document type declaration, and so every entity, is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from gencode.documents.errors import DocumentTooLarge, DocumentUnreadable
from gencode.documents.word_numbering import WordNumbering

MAX_DEPTH = 150
MAX_ELEMENTS = 250_000
"""Of all parts, after the filter: 60,000 paragraphs."""
MAX_RAW_ELEMENTS = 2_000_000
_DROPPED = frozenset(
    {
        "Choice",
        "blip",
        "bookmarkEnd",
        "bookmarkStart",
        "cnfStyle",
        "color",
        "commentRangeEnd",
        "commentRangeStart",
        "delText",
        "docDefaults",
        "imagedata",
        "kern",
        "lang",
        "lastRenderedPageBreak",
        "latentStyles",
        "noProof",
        "oMath",
        "pPrChange",
        "proofErr",
        "rt",
        "rubyPr",
        "rFonts",
        "rPrChange",
        "sectPr",
        "shd",
        "snapToGrid",
        "spacing",
        "sz",
        "szCs",
        "tblBorders",
        "tblCellMar",
        "tblPrChange",
        "tcBorders",
        "tcMar",
        "tcPrChange",
        "trPrChange",
    }
)
"""Local names of elements that are left out with all that is in them."""
_UNWRAPPED = frozenset({"fldSimple", "ruby", "rubyBase", "bdo", "dir", "oval"})
"""Elements that the reader does not know: what is in them is kept."""
_NUMBERED_BY = ("pStyle", "numId", "ilvl")
LABEL_MARK = "\ufdd0"
"""A character that no text has: Unicode keeps it for use within programs."""
_COUNTED = frozenset({"oMath", "blip", "imagedata", "commentReference"})
_WITHOUT_OWN_TEXT = frozenset({"Fallback", "moveFrom", "del", "oMath", "rt"})
"""What is in them is the text of another element, or deleted, or told by its own warning."""


class XmlFilter:
    """For all parts of one document.

    counts           elements by local name, of those whose loss is told
    text_characters  without white space
    """

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.text_characters = 0
        self._elements = self._raw_elements = 0
        self._written: list[str] = []
        self._open: list[str] = []
        self._dropped_at = self._without_text_at = 0
        self._numbering: WordNumbering | None = None
        self._properties: dict[str, str] = {}
        """Of the paragraph at hand: its style, number and level."""

    def filtered(self, data: bytes, *, is_text: bool, numbering: WordNumbering | None = None) -> bytes:
        """One part.

        is_text    whether its characters count
        numbering  with it, a paragraph with an automatic number begins with that, between two LABEL_MARKs

        Raises DocumentError, expat.ExpatError.
        """
        self._written, self._open, self._dropped_at = [], [], 0
        self._numbering, self._properties = numbering, {}
        self._without_text_at = 0 if is_text else -1
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(data, True)
        return "".join(self._written).encode()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._open.append(local)
        self._raw_elements += 1
        depth = len(self._open)
        if not self._without_text_at and local in _WITHOUT_OWN_TEXT:
            self._without_text_at = depth
        if not self._dropped_at:
            self.counts[local] += local in _COUNTED
            self._dropped_at = depth if local in _DROPPED else 0
        if not self._dropped_at and local not in _UNWRAPPED:
            self._elements += 1
            self._written.append(f"<{name}{''.join(_attributes(name, local, attributes))}>")
            if local in _NUMBERED_BY:
                self._properties[local] = attributes.get(f"{name.removesuffix(local)}val", "")
        self._check()

    def _end(self, name: str) -> None:
        depth, local = len(self._open), self._open.pop()
        if not self._dropped_at and local not in _UNWRAPPED:
            self._written.append(f"</{name}>")
            if local == "pPr" and self._numbering:
                self._write_label(name.removesuffix(local), self._numbering)
        self._dropped_at = 0 if self._dropped_at == depth else self._dropped_at
        self._without_text_at = 0 if self._without_text_at == depth else self._without_text_at

    def _write_label(self, prefix: str, numbering: WordNumbering) -> None:
        properties, self._properties = self._properties, {}
        label = numbering.label(*(properties.get(name, "") for name in _NUMBERED_BY))
        if label:
            text = f"{LABEL_MARK}{escape(label)}{LABEL_MARK}"
            self._written.append(f"<{prefix}r><{prefix}t>{text}</{prefix}t></{prefix}r>")

    def _text(self, text: str) -> None:
        text = text.replace(LABEL_MARK, "")
        if not self._without_text_at and self._open and self._open[-1] == "t":
            self.text_characters += len("".join(text.split()))
        if not self._dropped_at:
            self._written.append(escape(text))

    def _check(self) -> None:
        if len(self._open) > MAX_DEPTH:
            raise DocumentUnreadable(f"The document nests more than {MAX_DEPTH} elements")
        if self._elements > MAX_ELEMENTS or self._raw_elements > MAX_RAW_ELEMENTS:
            raise DocumentTooLarge("The document has too many elements: split it and upload its parts")


def _attributes(name: str, local: str, attributes: Mapping[str, str]) -> Iterator[str]:
    """The reader insists on the type and the id of a style, which may be missing."""
    for key, value in attributes.items():
        if ":rsid" not in key:
            yield f" {key}={quoteattr(value)}"
    if local == "style":
        prefix = name.removesuffix(local)
        missing = {f"{prefix}type": "paragraph", f"{prefix}styleId": ""}.items() - attributes.items()
        yield from (f' {key}="{value}"' for key, value in sorted(missing) if key not in attributes)


def _refuse_doctype(*_: object) -> None:
    raise DocumentUnreadable("The document declares entities, which no Word document does")
