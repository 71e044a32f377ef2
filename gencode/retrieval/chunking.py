"""Splits texts into chunks at headings, paragraphs, sentences and definitions.

The chunks of a document, joined, are its text. semantic-text-splitter does the work; it takes time by the
square of a text without punctuation, so that it is given windows of WINDOW characters.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, Literal

from gencode.retrieval.errors import UnusableText
from gencode.retrieval.records import Chunk, IndexedDocument, text_digest

CHUNKER = "semantic-1"
"""Changes when the chunks of any text change."""
WINDOW = 8_000
SIZE = 450
"""Of a chunk: characters of Chinese; a character of another script counts WIDTH of it."""
WIDTH = 1 / 3
SMALLEST = 2 / 3
"""A chunk of this part of SIZE need not be filled further."""

HEADING = 1 / 6
"""A piece below this part of the most characters of a chunk is joined with the one after it."""

Form = Literal["text", "markdown", "code"]
Split = Callable[[str], Sequence[str]]
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAKS = ("\n\n", "\n", "。", "！", "？", "；", ". ", "! ", "? ", " ")
"""Where a window may end, best first."""


def split_document(
    document: str,
    text: str,
    *,
    form: Form = "text",
    language: object = None,
    page_starts: Sequence[int] = (),
) -> IndexedDocument:
    """The document's chunks. The same input gives the same chunks.

    language      for "code": the tree-sitter language, such as `tree_sitter_python.language()`
    page_starts   offsets at which the pages start, ascending, the first one 0; empty: there are no pages

    Blocks the thread: about 0.2 s for a million characters of prose, 4 s for hostile ones. Raises
    UnusableText.
    """
    _check(text, page_starts)
    split = _splitter(form, language)
    pieces = [piece for window in _windows(text) for piece in split(window)]
    chunks = _placed(document, pieces, page_starts)
    return IndexedDocument(id=document, sha256=text_digest(text), chunker=CHUNKER, chunks=tuple(chunks))


def _check(text: str, page_starts: Sequence[int]) -> None:
    if _SURROGATE.search(text):
        raise UnusableText("the text contains half a character (an unpaired surrogate): decode it again")
    if page_starts and not (page_starts[0] == 0 and page_starts[-1] <= len(text) and _ascends(page_starts)):
        raise UnusableText("the pages do not fit the text: they start at 0, ascend, and end within it")


def _ascends(numbers: Sequence[int]) -> bool:
    return all(earlier <= later for earlier, later in pairwise(numbers))


def _windows(text: str) -> Iterator[str]:
    """Parts of at most WINDOW characters, which end at the best break of their second half."""
    start = 0
    while len(text) - start > WINDOW:
        end = _last_break(text, start + WINDOW // 2, start + WINDOW)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _last_break(text: str, low: int, high: int) -> int:
    for mark in _BREAKS:
        found = text.rfind(mark, low, high)
        if found >= 0:
            return found + len(mark)
    return high


def _splitter(form: Form, language: object) -> Split:
    library: Any = import_module("semantic_text_splitter")  # of the extra `workspace`

    def split(window: str) -> Sequence[str]:
        capacity = _capacity(window)
        sizes = (max(1, int(capacity * SMALLEST)), capacity)
        if form == "code" and language is not None:
            splitter = library.CodeSplitter(language, sizes, trim=False)
        else:
            kind = library.MarkdownSplitter if form == "markdown" else library.TextSplitter
            splitter = kind(sizes, trim=False)
        return _joined(splitter.chunks(window), capacity)

    return split


def _capacity(window: str) -> int:
    """The most characters of a chunk."""
    wide = len(_WIDE.findall(window))
    return max(1, round(SIZE * len(window) / (wide + (len(window) - wide) * WIDTH)))


def _joined(pieces: Sequence[str], capacity: int) -> list[str]:
    """White space belongs to the piece before it, and a heading of its own to the piece after it."""
    joined: list[str] = []
    for piece in pieces:
        last = joined[-1] if joined else ""
        is_short = len(last) < capacity * HEADING and len(last) + len(piece) <= capacity * (1 + HEADING)
        if joined and (is_short or not piece.strip()):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _placed(document: str, pieces: Sequence[str], page_starts: Sequence[int]) -> Iterator[Chunk]:
    start = 0
    for ordinal, piece in enumerate(pieces):
        end = start + len(piece)
        yield Chunk(
            document=document,
            ordinal=ordinal,
            start=start,
            text=piece,
            page=bisect_right(page_starts, start) if page_starts else None,
            page_breaks=tuple(page_starts[bisect_right(page_starts, start) : bisect_left(page_starts, end)]),
        )
        start = end
