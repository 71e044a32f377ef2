"""One ranking from those of the text search and of the vectors: weighted reciprocal ranks.

    score = trust / (K + rank by text) + weight / (K + rank by vector)

`weight` is the encoder's: with equal weights, an encoder that is weaker than the text search spoils it.
`trust` is 1 if one of the best chunks by text has TRUSTED of the question's terms or more. Below that it
falls fast: a question in another language than the documents has few terms in common with them, by chance.
Measured in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from gencode.retrieval.tokens import PREFIX, index_terms

K = 10
TRUSTED = 0.3
LOOKED_AT = 3
"""The best chunks by text, whose terms are compared with those of the question."""

Key = TypeVar("Key")


def fused(rankings: Sequence[tuple[Sequence[Key], float]]) -> list[tuple[Key, float]]:
    """Keys with their scores, best first; equal scores in the order of the first ranking, then of the next.

    rankings   keys, best first, and the weight of their ranks
    """
    scores: dict[Key, float] = {}
    for ranked, share in rankings:
        for rank, key in enumerate(ranked, 1):
            scores[key] = scores.get(key, 0.0) + share / (K + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])


def text_trust(terms: Sequence[str], best: Sequence[str]) -> float:
    """From 0 to 1. `best`: the texts of the best chunks, of which LOOKED_AT are used."""
    coverage = max((_coverage(terms, index_terms(text)) for text in best[:LOOKED_AT]), default=0.0)
    return float(min(1.0, coverage / TRUSTED) ** 3)


def _coverage(terms: Sequence[str], found: Sequence[str]) -> float:
    """The part of the question's terms that a text has."""
    exact = set(found)
    starts = {term[:1] for term in found}
    known = [
        term.removesuffix(PREFIX) in starts if term.endswith(PREFIX) else term in exact for term in terms
    ]
    return sum(known) / len(known) if known else 0.0
