"""The changes between the requirements of two versions of a document."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from gencode.workspace.requirement_documents.identity import normalised, pairs
from gencode.workspace.requirement_documents.requirement import Requirement


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementChanges:
    """changed  before and after: another statement, type, or acceptance criteria
    moved    before and after: the same requirement under another heading, or before another one than before
    """

    added: list[Requirement]
    removed: list[Requirement]
    changed: list[tuple[Requirement, Requirement]]
    moved: list[tuple[Requirement, Requirement]]
    unchanged: int


def changes_between(old: Sequence[Requirement], new: Sequence[Requirement]) -> RequirementChanges:
    """By id; what has no id in common, as two documents that are no versions of each other, by its words."""
    same = _same(old, new)
    both = [(old[before], new[after]) for before, after in sorted(same.items())]
    in_order = _longest_rising([after for _, after in sorted(same.items())])
    changed = [pair for pair in both if _is_changed(*pair)]
    moved = [
        pair
        for at, pair in enumerate(both)
        if not _is_changed(*pair) and (at not in in_order or pair[0].source.section != pair[1].source.section)
    ]
    found = set(same.values())
    return RequirementChanges(
        added=[one for at, one in enumerate(new) if at not in found],
        removed=[one for at, one in enumerate(old) if at not in same],
        changed=changed,
        moved=moved,
        unchanged=len(both) - len(changed) - len(moved),
    )


def _same(old: Sequence[Requirement], new: Sequence[Requirement]) -> dict[int, int]:
    places = {one.id: at for at, one in enumerate(new)}
    same = {at: places[one.id] for at, one in enumerate(old) if one.id in places}
    if same:
        return same
    before, after = ([(one.statement, one.source) for one in side] for side in (old, new))
    return dict(pairs(before, after))


def _is_changed(old: Requirement, new: Requirement) -> bool:
    return _content(old) != _content(new)


def _content(one: Requirement) -> tuple[str, str, list[str]]:
    return one.type.value, normalised(one.statement), [normalised(each) for each in one.acceptance_criteria]


def _longest_rising(values: Sequence[int]) -> set[int]:
    """Positions of a longest subsequence that rises: what stayed in order."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for at, value in enumerate(values):
        length = bisect_left(ends, value)
        before.append(places[length - 1] if length else -1)
        ends[length:], places[length:] = [value, *ends[length + 1 :]], [at, *places[length + 1 :]]
    kept: set[int] = set()
    at = places[-1] if places else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return kept
