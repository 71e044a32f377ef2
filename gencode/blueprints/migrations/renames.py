"""The order in which things get new names, so that none takes a name that another one still has."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping


def ordered_renames(renames: Mapping[str, str], taken: Collection[str]) -> list[tuple[str, str]]:
    """`taken`: all names there are. A circle (a becomes b, b becomes a) goes by a name for a moment.

    ordered_renames({"a": "b", "b": "c"}, {"a", "b"}) == [("b", "c"), ("a", "b")]
    """
    waiting = {old: new for old, new in renames.items() if old != new}
    present = set(taken)
    steps: list[tuple[str, str]] = []
    while waiting:
        free = next((old for old, new in waiting.items() if new not in present), None)
        old = free if free is not None else next(iter(waiting))
        new = waiting.pop(old)
        if free is None:
            waiting[temporary := temporary_name(old, new)] = new
            new = temporary
        steps.append((old, new))
        present.discard(old)
        present.add(new)
    return steps


def temporary_name(*parts: str) -> str:
    return f"renamed_{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:12]}"
