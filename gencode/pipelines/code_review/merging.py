"""Merges findings that say the same, ranks them and keeps the most important ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gencode.diffs import distinct_identities
from gencode.pipelines.code_review.findings import Finding

SIMILAR, SIMILAR_ON_A_LINE = 0.5, 0.2
"""Share of common words of two titles from which they say the same; less for two of one category about one
line."""
_WORD = re.compile(r"[a-z0-9_]+|[\u3400-\u9fff]", re.IGNORECASE)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """The most important of those that say the same, which counts the others; ranked."""
    kept: list[Finding] = []
    for finding in ranked(findings):
        same = next((n for n, other in enumerate(kept) if _say_the_same(other, finding)), None)
        if same is None:
            kept.append(finding)
        else:
            kept[same] = kept[same].model_copy(update={"merged": kept[same].merged + 1 + finding.merged})
    return kept


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The most severe and most certain first; what has a line before what has none."""
    return sorted(findings, key=_importance)


def _importance(finding: Finding) -> tuple[object, ...]:
    return (
        finding.severity.rank,
        finding.line is None,
        -finding.confidence,
        finding.file,
        finding.line or 0,
        finding.title,
    )


def with_distinct_identities(findings: Sequence[Finding]) -> list[Finding]:
    """In the same order. Equal identities are numbered in the order of the diff."""
    order = sorted(range(len(findings)), key=lambda n: _position(findings[n]))
    names = distinct_identities([findings[n].identity for n in order])
    renamed = dict(zip(order, names, strict=True))
    return [one.model_copy(update={"identity": renamed[n]}) for n, one in enumerate(findings)]


def _position(finding: Finding) -> tuple[object, ...]:
    return (finding.file, finding.line or 0, finding.side, finding.category, finding.title)


def _say_the_same(one: Finding, other: Finding) -> bool:
    if (one.path, one.commit, one.side) != (other.path, other.commit, other.side):
        return False
    if one.line is None or other.line is None:
        return one.line == other.line and similarity(one.title, other.title) >= SIMILAR
    if one.line == other.line and one.category is other.category:
        return similarity(one.title, other.title) >= SIMILAR_ON_A_LINE
    overlap = one.line <= (other.end_line or other.line) and other.line <= (one.end_line or one.line)
    return overlap and similarity(one.title, other.title) >= SIMILAR


def similarity(one: str, other: str) -> float:
    """The share of common words, 0 to 1; of Chinese text, of common characters."""
    words, others = set(_words(one)), set(_words(other))
    return len(words & others) / len(words | others) if words and others else 0.0


def _words(text: str) -> Sequence[str]:
    return [found.casefold() for found in _WORD.findall(text)]
