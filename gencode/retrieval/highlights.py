"""Where the terms of a question stand in a chunk, for people who read it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from gencode.retrieval.tokens import PREFIX, index_terms, runs

MAX_HIGHLIGHTS = 200


def highlights(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Starts and ends of the parts of a text that have terms of a question, in order, without overlaps; the
    first MAX_HIGHLIGHTS.

    terms   see `tokens.query_terms`
    """
    wanted = frozenset(terms)
    found: list[tuple[int, int]] = []
    for start, end in _matches(text, wanted) if wanted else ():
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif len(found) == MAX_HIGHLIGHTS:
            break
        else:
            found.append((start, end))
    return found


def _matches(text: str, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    for start, run, is_unspaced in runs(text):
        if is_unspaced:
            yield from _bigrams(start, run, wanted)
        elif not wanted.isdisjoint(index_terms(run)):
            yield start, start + len(run)


def _bigrams(start: int, run: str, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    for at in range(len(run)):
        if unicodedata.normalize("NFKC", run[at]) + PREFIX in wanted:
            yield start + at, start + at + 1
        if unicodedata.normalize("NFKC", run[at : at + 2]) in wanted:
            yield start + at, start + at + 2
