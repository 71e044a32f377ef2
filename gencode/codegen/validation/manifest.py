"""What a project's manifests declare."""

from __future__ import annotations

from dataclasses import dataclass


def words(text: str) -> frozenset[str]:
    """A table of names, written as text."""
    return frozenset(text.split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """`packages` by their normal names; `open`: what is declared cannot be told from the text alone."""

    packages: frozenset[str]
    open: bool
