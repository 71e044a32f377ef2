"""Documents, chunks and what a search returns. Offsets count characters of the document's text, from 0."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkRef:
    """Names one chunk of a document, and by `sha256` (hexadecimal) the text that it had."""

    document: str
    ordinal: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A part of a document: `text` is the document's text from `start` to `end`.

    ordinal       0, 1, 2, ... within the document
    page          the page on which it starts, from 1; None: the document has no pages
    page_breaks   offsets within the chunk at which further pages start
    """

    document: str
    ordinal: int
    start: int
    text: str
    page: int | None = None
    page_breaks: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def sha256(self) -> str:
        return text_digest(self.text)

    @property
    def ref(self) -> ChunkRef:
        return ChunkRef(document=self.document, ordinal=self.ordinal, sha256=self.sha256)

    def page_at(self, offset: int) -> int | None:
        """The page of an offset of the document that lies in this chunk."""
        return None if self.page is None else self.page + bisect_right(self.page_breaks, offset)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedDocument:
    """A document to be indexed, whole: it replaces the one with its id.

    sha256     of the document's text
    chunker    the version of the chunker, see `chunking.CHUNKER`
    """

    id: str
    sha256: str
    chunker: str
    chunks: Sequence[Chunk]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentEntry:
    """What the index has of a document. `position`: the commit that brought it."""

    id: str
    sha256: str
    chunker: str
    chunks: int
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderState:
    """`encoded`: chunks that have a vector of it. `is_active`: searches use it."""

    encoder: str
    dimensions: int
    encoded: int
    is_active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexState:
    """How far a knowledge base is indexed. `position` grows by 1 with each commit that changes it."""

    position: int
    documents: int
    chunks: int
    encoders: tuple[EncoderState, ...] = ()

    @property
    def active_encoder(self) -> str | None:
        return next((state.encoder for state in self.encoders if state.is_active), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchRequest:
    """One read of the index.

    terms        see `tokens.query_terms`; none: no text search
    vector       float16, little-endian, of unit length, from the encoder `encoder`; None: no vector search
    documents    only these; None: all of the base
    limit        most hits of each of the two searches
    """

    base: str
    terms: Sequence[str]
    encoder: str | None = None
    vector: bytes | None = None
    documents: frozenset[str] | None = None
    limit: int = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkScore:
    """`chunk`: its position in `Candidates.chunks`."""

    chunk: int
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """What one consistent read found, best first; equal scores in the order of document and ordinal."""

    position: int
    by_text: Sequence[ChunkScore] = ()
    by_vector: Sequence[ChunkScore] = ()
    chunks: Mapping[int, Chunk] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A chunk that a search found. Ranks start at 1; None: that search has not found it."""

    base: str
    chunk: Chunk
    score: float
    text_rank: int | None = None
    vector_rank: int | None = None

    @property
    def page(self) -> int | None:
        """The page of its first character that is not white space."""
        text = self.chunk.text
        return self.chunk.page_at(self.chunk.start + len(text) - len(text.lstrip()))


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """`positions`: how far each base was indexed. `without_vectors`: why vectors were not searched, by base
    ("": the base has none)."""

    hits: Sequence[Hit]
    positions: Mapping[str, int]
    without_vectors: Mapping[str, str] = field(default_factory=dict)


def text_digest(text: str) -> str:
    """The SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def encodable(text: str) -> str:
    """The text with "?" for each half of a character (unpaired surrogate), which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")
