"""The index in memory, for tests and the benchmark. It ranks as SQLite's FTS5 does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gencode.domain.phrase import Phrase
from gencode.retrieval.errors import EncoderIncomplete, EncoderMismatch
from gencode.retrieval.port import EncoderInfo, RetrievalIndex
from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    ChunkScore,
    DocumentEntry,
    EncoderState,
    IndexedDocument,
    IndexState,
    SearchRequest,
)
from gencode.retrieval.tokens import PREFIX, index_terms
from gencode.retrieval.vectors import check_sizes, vector_matrix

_K1, _B = 1.2, 0.75


@dataclass(slots=True)
class _Encoder:
    dimensions: int
    is_active: bool = False
    vectors: dict[ChunkRef, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Base:
    position: int = 0
    documents: dict[str, tuple[IndexedDocument, int]] = field(default_factory=dict)
    terms: dict[ChunkRef, Counter[str]] = field(default_factory=dict)
    encoders: dict[str, _Encoder] = field(default_factory=dict)

    def chunks(self) -> list[Chunk]:
        """In the order of document and ordinal."""
        return [chunk for name in sorted(self.documents) for chunk in self.documents[name][0].chunks]

    def remove(self, name: str) -> bool:
        removed = self.documents.pop(name, None)
        for chunk in removed[0].chunks if removed else ():
            del self.terms[chunk.ref]
            for encoder in self.encoders.values():
                encoder.vectors.pop(chunk.ref, None)
        return removed is not None

    def put(self, document: IndexedDocument, position: int) -> bool:
        stored = self.documents.get(document.id)
        if stored and (stored[0].sha256, stored[0].chunker) == (document.sha256, document.chunker):
            return False
        self.remove(document.id)
        self.documents[document.id] = (document, position)
        self.terms.update((chunk.ref, Counter(index_terms(chunk.text))) for chunk in document.chunks)
        return True


class MemoryIndex(RetrievalIndex):
    """See `RetrievalIndex`."""

    def __init__(self) -> None:
        self._bases: dict[str, _Base] = {}

    async def apply(
        self, base: str, *, put: Sequence[IndexedDocument] = (), remove: Sequence[str] = ()
    ) -> int:
        found = self._bases.setdefault(base, _Base())
        changes = [found.remove(name) for name in remove]
        changes += [found.put(document, found.position + 1) for document in put]
        found.position += any(changes)
        return found.position

    async def drop(self, base: str) -> None:
        self._bases.pop(base, None)

    async def state(self, base: str) -> IndexState:
        found = self._base(base)
        encoders = tuple(
            EncoderState(
                encoder=name,
                dimensions=encoder.dimensions,
                encoded=len(encoder.vectors),
                is_active=encoder.is_active,
            )
            for name, encoder in found.encoders.items()
        )
        return IndexState(
            position=found.position,
            documents=len(found.documents),
            chunks=len(found.terms),
            encoders=encoders,
        )

    async def documents(self, base: str) -> list[DocumentEntry]:
        return [
            DocumentEntry(
                id=name,
                sha256=document.sha256,
                chunker=document.chunker,
                chunks=len(document.chunks),
                position=position,
            )
            for name, (document, position) in sorted(self._base(base).documents.items())
        ]

    async def chunks(self, base: str, document: str, *, first: int = 0, limit: int = 100) -> list[Chunk]:
        stored = self._base(base).documents.get(document)
        return list(stored[0].chunks[first : first + limit]) if stored else []

    async def find(self, base: str, refs: Sequence[ChunkRef]) -> dict[ChunkRef, Chunk]:
        wanted = set(refs)
        return {chunk.ref: chunk for chunk in self._base(base).chunks() if chunk.ref in wanted}

    async def search(self, request: SearchRequest) -> Candidates:
        base = self._base(request.base)
        chunks = base.chunks()
        by_text = _by_text(base, chunks, request)
        by_vector = _by_vector(base, chunks, request)
        found = {score.chunk: chunks[score.chunk] for score in (*by_text, *by_vector)}
        return Candidates(position=base.position, by_text=by_text, by_vector=by_vector, chunks=found)

    async def add_encoder(self, base: str, encoder: EncoderInfo) -> None:
        found = self._bases.setdefault(base, _Base())
        known = found.encoders.get(encoder.id)
        if known and known.dimensions != encoder.dimensions:
            raise EncoderMismatch(f"{encoder.id} has {known.dimensions} dimensions in this base")
        if not known:
            found.encoders[encoder.id] = _Encoder(encoder.dimensions)
            found.position += 1

    async def unencoded(
        self, base: str, encoder: str, limit: int, document: str | None = None
    ) -> list[Chunk]:
        found = self._base(base)
        known = found.encoders.get(encoder)
        missing = [chunk for chunk in found.chunks() if not (known and chunk.ref in known.vectors)]
        return [chunk for chunk in missing if document in (None, chunk.document)][:limit]

    async def store_vectors(self, base: str, encoder: str, vectors: Mapping[ChunkRef, bytes]) -> int:
        found = self._base(base)
        known = _known(found, encoder)
        check_sizes(vectors.values(), known.dimensions)
        known.vectors.update((ref, vector) for ref, vector in vectors.items() if ref in found.terms)
        found.position += 1
        return found.position

    async def activate(self, base: str, encoder: str) -> None:
        found = self._base(base)
        known = _known(found, encoder)
        if len(known.vectors) < len(found.terms):
            raise EncoderIncomplete(
                Phrase("chunks without a vector of {encoder} remain: encode them first", encoder=encoder)
            )
        known.is_active = True
        found.encoders = {encoder: known}
        found.position += 1

    def _base(self, name: str) -> _Base:
        return self._bases.get(name) or _Base()


def _known(base: _Base, encoder: str) -> _Encoder:
    if encoder not in base.encoders:
        raise EncoderMismatch(f"the base has no encoder {encoder}: add it first")
    return base.encoders[encoder]


def _by_text(base: _Base, chunks: Sequence[Chunk], request: SearchRequest) -> list[ChunkScore]:
    scores = _bm25([base.terms[chunk.ref] for chunk in chunks], request.terms)
    found = [
        ChunkScore(chunk=number, score=score)
        for number, score in scores.items()
        if request.documents is None or chunks[number].document in request.documents
    ]
    return sorted(found, key=lambda score: (-score.score, score.chunk))[: request.limit]


def _bm25(texts: Sequence[Counter[str]], terms: Sequence[str]) -> dict[int, float]:
    """Scores by the number of the text."""
    average = sum(text.total() for text in texts) / max(1, len(texts))
    scores: dict[int, float] = {}
    for term in terms:
        counts = {number: count for number, text in enumerate(texts) if (count := _count(text, term))}
        weight = math.log((len(texts) - len(counts) + 0.5) / (len(counts) + 0.5))
        for number, count in counts.items():
            length = _K1 * (1 - _B + _B * texts[number].total() / average)
            score = max(weight, 1e-6) * count * (_K1 + 1) / (count + length)
            scores[number] = scores.get(number, 0) + score
    return scores


def _count(text: Counter[str], term: str) -> int:
    if not term.endswith(PREFIX):
        return text.get(term, 0)
    return sum(count for word, count in text.items() if word.startswith(term.removesuffix(PREFIX)))


def _by_vector(base: _Base, chunks: Sequence[Chunk], request: SearchRequest) -> list[ChunkScore]:
    encoder = base.encoders.get(request.encoder or "")
    if not (encoder and encoder.is_active and request.vector is not None):
        return []
    partial = {chunk.document for chunk in chunks if chunk.ref not in encoder.vectors}
    rows = (
        (number, chunk.document, encoder.vectors[chunk.ref])
        for number, chunk in enumerate(chunks)
        if chunk.document not in partial
    )
    matrix = vector_matrix(rows, encoder.dimensions)
    found = matrix.nearest(request.vector, request.documents, request.limit)
    return [ChunkScore(chunk=number, score=score) for number, score in found]
