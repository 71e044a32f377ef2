"""The text of an answer as its task has stored it so far: pieces, which are checkpoints and events `text`.

text:ROUND:OFFSET   a piece, as a JSON text

A round is one uninterrupted text. A model that cannot continue what it has written begins a new round, and
the text of the round before is discarded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

PIECE = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenText:
    """`round`: 1, 2, ..."""

    round: int = 1
    text: str = ""


def piece(round_: int, offset: int, text: str) -> Mapping[str, str]:
    """The checkpoint of a piece."""
    return {f"{PIECE}:{round_}:{offset}": json.dumps(text)}


def written_text(checkpoints: Mapping[str, str]) -> WrittenText:
    """What is stored of the last round."""
    found: dict[tuple[int, int], str] = {}
    for name, stored in checkpoints.items():
        if name.startswith(f"{PIECE}:"):
            _, round_, offset = name.split(":")
            found[int(round_), int(offset)] = json.loads(stored)
    last = max((round_ for round_, _ in found), default=1)
    pieces = [found[key] for key in sorted(found) if key[0] == last]
    return WrittenText(round=last, text="".join(pieces))
