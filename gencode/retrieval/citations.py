"""Checks that the quotes of an answer stand in the chunks that its author was shown.

A quote is verified, with document, page and offsets, or it is unsupported, with the reason. Nothing is
guessed: a quote that is almost right is unsupported. `source_text` says which differences do not count.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gencode.retrieval.records import Chunk, ChunkRef
from gencode.retrieval.source_text import MAX_TRIES, SourceText, comparable, occurrences

MAX_LOCATIONS = 16
SHORTEST, LONGEST = 2, 10_000
"""Characters of a quote, without white space at its ends."""


class Unsupported(StrEnum):
    """Why a quote is not verified."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_FOUND = "not_found"
    """It stands in none of the chunks that were shown."""
    OTHER_SOURCE = "other_source"
    """It stands in a chunk that was shown, and not in the one that the answer names."""
    SOURCE_CHANGED = "source_changed"
    """It stood in a chunk whose document was changed or deleted since."""
    NOT_SHOWN = "not_shown"
    """The answer names a source that was not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A text that an answer quotes. `source`: the chunk that it names; None: any that was shown."""

    text: str
    source: ChunkRef | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where a quote stands: `text` is the document's own, from `start` to `end`. `chunks`: it spans these."""

    document: str
    page: int | None
    start: int
    end: int
    text: str
    chunks: tuple[ChunkRef, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """Verified if `reason` is None; then there are one to MAX_LOCATIONS locations, in the order of
    document and offset."""

    quote: Quote
    locations: tuple[Location, ...] = ()
    reason: Unsupported | None = None

    @property
    def is_verified(self) -> bool:
        return self.reason is None


def verify_quotes(
    quotes: Sequence[Quote], shown: Sequence[Chunk], stored: Mapping[ChunkRef, Chunk]
) -> list[Citation]:
    """One citation for each quote, in their order.

    shown    the chunks as the author of the answer was shown them
    stored   those of them that the index still has with the same text, see `RetrievalIndex.find`
    """
    chunks = {chunk.ref: chunk for chunk in shown}
    current = [stored[ref] for ref in chunks if ref in stored and stored[ref].ref == ref]
    valid = _passages(current)
    former = valid if current == list(chunks.values()) else _passages(chunks.values())
    return [_verified(quote, valid, former, chunks) for quote in quotes]


@dataclass(frozen=True, slots=True)
class _Passage:
    """Consecutive chunks of a document, joined."""

    chunks: tuple[Chunk, ...]
    source: SourceText

    def locations(self, quote: str) -> Iterator[Location]:
        first = self.chunks[0].start
        for start, end in occurrences(self.source, quote, MAX_TRIES):
            yield self._location(first + start, first + end)

    def _location(self, start: int, end: int) -> Location:
        spanned = [chunk for chunk in self.chunks if chunk.start < end and start < chunk.end]
        text = "".join(chunk.text for chunk in spanned)
        offset = spanned[0].start
        return Location(
            document=spanned[0].document,
            page=spanned[0].page_at(start),
            start=start,
            end=end,
            text=text[start - offset : end - offset],
            chunks=tuple(chunk.ref for chunk in spanned),
        )


def _passages(chunks: Iterable[Chunk]) -> list[_Passage]:
    runs: list[list[Chunk]] = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.document, chunk.ordinal, chunk.start)):
        if runs and _follows(chunk, runs[-1][-1]):
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    return [_Passage(tuple(run), comparable("".join(chunk.text for chunk in run))) for run in runs]


def _follows(chunk: Chunk, last: Chunk) -> bool:
    return (chunk.document, chunk.ordinal, chunk.start) == (last.document, last.ordinal + 1, last.end)


def _verified(
    quote: Quote, current: Sequence[_Passage], shown: Sequence[_Passage], refs: Container[ChunkRef]
) -> Citation:
    text = comparable(quote.text).text
    if len(text) < SHORTEST:
        return Citation(quote=quote, reason=Unsupported.TOO_SHORT)
    if len(text) > LONGEST:
        return Citation(quote=quote, reason=Unsupported.TOO_LONG)
    if quote.source and quote.source not in refs:
        return Citation(quote=quote, reason=Unsupported.NOT_SHOWN)
    anywhere = _locations(text, current)
    found = tuple(place for place in anywhere if quote.source is None or quote.source in place.chunks)
    if found:
        return Citation(quote=quote, locations=found[:MAX_LOCATIONS])
    return Citation(quote=quote, reason=_reason(text, quote, anywhere, shown))


def _locations(text: str, passages: Sequence[_Passage]) -> list[Location]:
    return [place for passage in passages for place in passage.locations(text)]


def _reason(text: str, quote: Quote, anywhere: Sequence[Location], shown: Sequence[_Passage]) -> Unsupported:
    """Why a quote that was not found in its source is unsupported."""
    former = _locations(text, shown)
    if any(quote.source is None or quote.source in place.chunks for place in former):
        return Unsupported.SOURCE_CHANGED
    return Unsupported.OTHER_SOURCE if anywhere else Unsupported.NOT_FOUND
