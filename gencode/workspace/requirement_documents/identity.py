"""Which requirements are the same over versions of a document.

An id is a number for people and a digest: R12-3fa9c1. The digest is of the requirement's words when it was
first found: of its quote if that stands in the document, else of its statement, without case, space, width
and punctuation. A requirement keeps its id, in this order,

    1. if its words or its statement are the same, wherever they stand now;
    2. if it is clearly the same requirement with changed words: both statements are alike by SIMILAR of 100,
       and no other pair comes within MARGIN of them.

Example: "The system must lock an account after 5 failed logins" keeps its id when 5 becomes 3. Numbers of
requirements that were removed are not used again.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from gencode.workspace.requirement_documents.requirement import Requirement, SourceQuote

SIMILAR = 78.0
MARGIN = 5.0
MAX_COMPARED = 500
"""Requirements on each side that are compared by similarity: the time grows with the product."""
MAX_COMPARED_TEXT = 500
"""Characters of a statement that are compared so: the time grows with their square. 500 statements of 2,000
on each side took 16 s of a core."""
DIGITS = 6


def normalised(text: str) -> str:
    """The words of a text: letters and digits in one case and width, without space and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LNMS")


def words_of(statement: str, source: SourceQuote) -> str:
    """What the digest is of."""
    quoted = normalised(source.text) if source.is_verified else ""
    return quoted or normalised(statement)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRequirements:
    """`ids`: in the order of what was named."""

    ids: list[str]
    next_number: int


def name(
    found: Sequence[tuple[str, SourceQuote]], previous: Sequence[Requirement], next_number: int
) -> NamedRequirements:
    """The ids of new requirements.

    found        statement and source of each, in the order of the document
    previous     those of the version before, whose ids are kept where they are the same
    next_number  1 for a first version
    """
    before = [(one.statement, one.source) for one in previous]
    kept = {new: previous[old].id for old, new in pairs(before, found).items()}
    ids: list[str] = []
    for index, (statement, source) in enumerate(found):
        if index in kept:
            ids.append(kept[index])
            continue
        digest = hashlib.sha256(words_of(statement, source).encode("utf-8", "replace")).hexdigest()
        ids.append(f"R{next_number}-{digest[:DIGITS]}")
        next_number += 1
    return NamedRequirements(ids=ids, next_number=next_number)


def pairs(
    old: Sequence[tuple[str, SourceQuote]], new: Sequence[tuple[str, SourceQuote]]
) -> Mapping[int, int]:
    """The position in `new` of each requirement of `old` that is still there."""
    found: dict[int, int] = {}
    for key in (_both, _statement, _words):
        _pair_equal(old, new, key, found)
    _pair_similar(old, new, found)
    return found


def _both(one: tuple[str, SourceQuote]) -> str:
    return f"{_words(one)}\0{_statement(one)}"


def _statement(one: tuple[str, SourceQuote]) -> str:
    return normalised(one[0])


def _words(one: tuple[str, SourceQuote]) -> str:
    return words_of(*one)


def _pair_equal(
    old: Sequence[tuple[str, SourceQuote]],
    new: Sequence[tuple[str, SourceQuote]],
    key: object,
    found: dict[int, int],
) -> None:
    """Equal ones in their order."""
    assert callable(key)  # noqa: S101 - one of the functions above
    places: defaultdict[str, list[int]] = defaultdict(list)
    taken = set(found.values())
    for at in range(len(new) - 1, -1, -1):
        if at not in taken:
            places[key(new[at])].append(at)
    for at, one in enumerate(old):
        if at not in found and (left := places.get(key(one))):
            found[at] = left.pop()


def _pair_similar(
    old: Sequence[tuple[str, SourceQuote]], new: Sequence[tuple[str, SourceQuote]], found: dict[int, int]
) -> None:
    old_left = [at for at in range(len(old)) if at not in found][:MAX_COMPARED]
    taken = set(found.values())
    new_left = [at for at in range(len(new)) if at not in taken][:MAX_COMPARED]
    if not old_left or not new_left:
        return
    process, fuzz = import_module("rapidfuzz.process"), import_module("rapidfuzz.fuzz")
    scores = process.cdist(
        [normalised(old[at][0])[:MAX_COMPARED_TEXT] for at in old_left],
        [normalised(new[at][0])[:MAX_COMPARED_TEXT] for at in new_left],
        scorer=fuzz.ratio,
        score_cutoff=SIMILAR - MARGIN,
    ).tolist()
    rows, columns = _best_two(scores), _best_two(list(zip(*scores, strict=True)))
    for row, (score, column, second) in enumerate(rows):
        best, best_row, second_row = columns[column]
        if score >= SIMILAR and best_row == row and max(second, second_row) <= best - MARGIN:
            found[old_left[row]] = new_left[column]


def _best_two(scores: Sequence[Sequence[float]]) -> list[tuple[float, int, float]]:
    """Of each line: the best score, its place, and the second best."""
    found = []
    for line in scores:
        best = max(line)
        place = line.index(best)
        second = max((score for at, score in enumerate(line) if at != place), default=0.0)
        found.append((best, place, second))
    return found
