"""Search in knowledge bases by text and by vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gencode.domain.errors import GencodeError
from gencode.retrieval.fusion import fused, text_trust
from gencode.retrieval.port import Encoder, RetrievalIndex
from gencode.retrieval.records import Candidates, Chunk, Hit, SearchRequest, SearchResult
from gencode.retrieval.tokens import query_terms

DEPTH = 50
"""Hits of each of the two searches of a base that are ranked together, or `limit` if that is more."""
MAX_QUERY = 10_000
"""Characters of a question; the rest is not looked at."""

_Key = tuple[str, str, int]
"""Base, document and ordinal."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """The question as a vector: of its encoder, or why there is none."""

    vector: bytes | None = None
    weight: float = 0.0
    reason: str = ""


class HybridSearch:
    """Searches an index by text, and by vectors of each base's active encoder.

    encoders   those that bases may have. Without the one of a base, or while it fails, a base is searched by
               text only, and the result says so
    """

    def __init__(self, index: RetrievalIndex, encoders: Iterable[Encoder] = ()) -> None:
        self._index = index
        self._encoders = {encoder.info.id: encoder for encoder in encoders}

    async def search(
        self,
        question: str,
        bases: Sequence[str],
        *,
        documents: frozenset[str] | None = None,
        limit: int = 10,
    ) -> SearchResult:
        """The best chunks for a question, at most `limit`. The same question and index give the same result.

        documents   only chunks of these documents; None: of all
        """
        question = question[:MAX_QUERY]
        terms = query_terms(question)
        active = {base: (await self._index.state(base)).active_encoder for base in dict.fromkeys(bases)}
        encodings = {encoder: await self._encode(encoder, question) for encoder in set(active.values())}
        found = _Found(terms)
        for base, encoder in active.items():
            request = SearchRequest(
                base=base,
                terms=terms,
                encoder=encoder,
                vector=encodings[encoder].vector,
                documents=documents,
                limit=max(DEPTH, limit),
            )
            found.add(base, encodings[encoder], await self._index.search(request))
        return SearchResult(
            hits=found.hits()[:limit],
            positions=found.positions,
            without_vectors={
                base: encodings[encoder].reason
                for base, encoder in active.items()
                if encodings[encoder].vector is None
            },
        )

    async def _encode(self, name: str | None, question: str) -> _Encoding:
        if name is None or not question.strip():
            return _Encoding()
        encoder = self._encoders.get(name)
        if encoder is None:
            return _Encoding(reason=f"the encoder {name} of this base is not configured")
        try:
            encoded = await encoder.encode([question], is_query=True)
        except GencodeError as error:
            return _Encoding(reason=error.message)
        return _Encoding(vector=encoded.vectors[0], weight=encoder.info.weight)


class _Found:
    """What several bases have for a question. Vectors of different encoders are ranked apart."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = terms
        self._chunks: dict[_Key, Chunk] = {}
        self._texts: list[tuple[float, _Key]] = []
        self._vectors: dict[_Encoding, list[tuple[float, _Key]]] = {}
        self.positions: dict[str, int] = {}

    def add(self, base: str, encoding: _Encoding, candidates: Candidates) -> None:
        keys = {number: (base, chunk.document, chunk.ordinal) for number, chunk in candidates.chunks.items()}
        self.positions[base] = candidates.position
        self._chunks.update((keys[number], chunk) for number, chunk in candidates.chunks.items())
        self._texts += [(score.score, keys[score.chunk]) for score in candidates.by_text]
        vectors = self._vectors.setdefault(encoding, [])
        vectors += [(score.score, keys[score.chunk]) for score in candidates.by_vector]

    def hits(self) -> list[Hit]:
        by_text = _ranked(self._texts)
        by_vector = [(_ranked(scores), encoding.weight) for encoding, scores in self._vectors.items()]
        text_ranks = _ranks(by_text)
        vector_ranks = {key: rank for keys, _ in by_vector for key, rank in _ranks(keys).items()}
        # A ranking by text alone stays as it is.
        trust = text_trust(self._terms, [self._chunks[key].text for key in by_text]) if vector_ranks else 1.0
        return [
            Hit(
                base=key[0],
                chunk=self._chunks[key],
                score=score,
                text_rank=text_ranks.get(key),
                vector_rank=vector_ranks.get(key),
            )
            for key, score in fused([(by_text, trust), *by_vector])
        ]


def _ranked(scores: Sequence[tuple[float, _Key]]) -> list[_Key]:
    return [key for _, key in sorted(scores, key=lambda entry: (-entry[0], entry[1]))]


def _ranks(keys: Sequence[_Key]) -> dict[_Key, int]:
    return {key: rank for rank, key in enumerate(keys, 1)}
