"""The automatic numbers of headings and list items of a Word document, such as `3.2.1` or `（二）`.

They are not in the text of a document: a paragraph, or its style, names a numbering and a level, and the
numbering says how a number of the level looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

from gencode.documents.number_forms import number_in_form

_LEVELS = 9
_MAX_LABEL = 40
_MAX_DIGITS = 9
_MAX_STYLES = 20
"""Styles that a style is based on, one after the other."""
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""
    style: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Style:
    """`number` and `level` are "" where they are those of `base`."""

    base: str
    number: str
    level: str


@dataclass(kw_only=True, slots=True)
class WordNumbering:
    """Labels are asked for in the order of the paragraphs, since each counts.

    kinds     levels by the id of an abstract numbering
    numbers   the id of the abstract numbering by that of a number, and starts of its own by level
    """

    kinds: Mapping[str, Mapping[int, _Level]]
    numbers: Mapping[str, tuple[str, Mapping[int, int]]]
    styles: Mapping[str, _Style]
    _counts: dict[str, list[int]] = field(default_factory=dict)
    _started: set[tuple[str, int]] = field(default_factory=set)

    def label(self, style: str, number: str, level: str) -> str:
        """Of the next paragraph; "" for one without a number, or with a bullet. Missing arguments are ""."""
        number, level, owner = self._resolved(style, number, level)
        if number not in self.numbers:
            return ""
        kind, starts = self.numbers[number]
        levels = self.kinds.get(kind, {})
        index = _number(level, next((i for i, one in levels.items() if owner and one.style == owner), 0))
        if not 0 <= index < _LEVELS or index not in levels:
            return ""
        self._count(kind, number, index, levels, starts)
        return self._rendered(levels, index, self._counts[kind])

    def _resolved(self, style: str, number: str, level: str) -> tuple[str, str, str]:
        """The number, the level, and the style that names the number."""
        if number:
            return number, level, style
        for _ in range(_MAX_STYLES):
            if style not in self.styles:
                break
            found = self.styles[style]
            level = level or found.level
            if found.number:
                return found.number, level, style
            style = found.base
        return "", level, style

    def _count(
        self, kind: str, number: str, index: int, levels: Mapping[int, _Level], starts: Mapping[int, int]
    ) -> None:
        """Levels below begin anew; levels above that no paragraph has had count as begun."""
        counts = self._counts.setdefault(kind, [])
        begins_anew = index in starts and (number, index) not in self._started
        self._started.add((number, index))
        while len(counts) < index:
            counts.append(_start(levels, len(counts)))
        if begins_anew:
            counts[index:] = [starts[index]]
        elif len(counts) == index:
            counts.append(_start(levels, index))
        else:
            counts[index:] = [counts[index] + 1]

    def _rendered(self, levels: Mapping[int, _Level], index: int, counts: list[int]) -> str:
        if levels[index].form in ("bullet", "none"):
            return ""

        def shown(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            return (
                number_in_form(counts[at], levels[at].form if at in levels else "")
                if at < len(counts)
                else ""
            )

        return _PLACEHOLDER.sub(shown, levels[index].text[:_MAX_LABEL]).strip()


def word_numbering(numbering: bytes, styles: bytes) -> WordNumbering:
    """From the parts of a document, which have no entities; b"" for one that is missing."""
    kinds: dict[str, Mapping[int, _Level]] = {}
    numbers: dict[str, tuple[str, Mapping[int, int]]] = {}
    for element in _children(numbering):
        if _local(element) == "abstractNum":
            kinds[_value(element, "abstractNumId")] = dict(_levels(element))
        elif _local(element) == "num":
            numbers[_value(element, "numId")] = (_of_child(element, "abstractNumId"), dict(_starts(element)))
    found = {_value(one, "styleId"): _style(one) for one in _children(styles) if _local(one) == "style"}
    return WordNumbering(kinds=kinds, numbers=numbers, styles=found)


# --- parts ---------------------------------------------------------------------------------------------


def _children(part: bytes) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(part)) if part else []  # noqa: S314


def _levels(kind: ElementTree.Element) -> Iterator[tuple[int, _Level]]:
    for element in kind:
        if _local(element) == "lvl":
            level = _Level(
                start=_number(_of_child(element, "start"), 1),
                form=_of_child(element, "numFmt") or "decimal",
                text=_of_child(element, "lvlText"),
                style=_of_child(element, "pStyle"),
            )
            yield _number(_value(element, "ilvl"), 0), level


def _starts(number: ElementTree.Element) -> Iterator[tuple[int, int]]:
    for element in number:
        if _local(element) == "lvlOverride" and (start := _of_child(element, "startOverride")):
            yield _number(_value(element, "ilvl"), 0), _number(start, 1)


def _style(element: ElementTree.Element) -> _Style:
    number = _child(_child(element, "pPr"), "numPr")
    return _Style(
        base=_of_child(element, "basedOn"), number=_of_child(number, "numId"), level=_of_child(number, "ilvl")
    )


def _start(levels: Mapping[int, _Level], index: int) -> int:
    return levels[index].start if index in levels else 1


def _child(element: ElementTree.Element | None, name: str) -> ElementTree.Element | None:
    return next((child for child in element if _local(child) == name), None) if element is not None else None


def _of_child(element: ElementTree.Element | None, name: str) -> str:
    child = _child(element, name)
    return _value(child, "val") if child is not None else ""


def _value(element: ElementTree.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else default
