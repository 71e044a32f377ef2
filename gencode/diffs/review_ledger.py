"""What a review has read of a diff: each changed line is in exactly one entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gencode.diffs.values import Stats


class Coverage(StrEnum):
    PLANNED = "planned"
    """In a bundle that no model has answered yet."""
    REVIEWED = "reviewed"
    EXCLUDED = "excluded"
    OVER_BUDGET = "over_budget"
    FAILED = "failed"
    """The answer for its bundle could not be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """A hunk, a part of a long one, or a file without hunks.

    file            its position in `Diff.files`, from 0: a patch may name a file twice
    path            of the file, as in the diff
    hunk            its position in `FileDiff.hunks`, from 0; None for a file without hunks
    part            of the hunk, from 0
    bundle          the number of the bundle that it is in; None if it is in none
    reason          why it is excluded: a Reason; else ""
    added, deleted  lines
    """

    file: int
    path: str
    hunk: int | None = None
    part: int = 0
    coverage: Coverage
    bundle: int | None = None
    reason: str = ""
    added: int = 0
    deleted: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewLedger:
    """The entries in the order of the diff. `stats` is that of the whole diff, and equals the sum of the
    entries."""

    entries: tuple[LedgerEntry, ...]
    stats: Stats

    def reviewed(self, bundles: Collection[int]) -> ReviewLedger:
        """After a model has answered for these bundles."""
        done = frozenset(bundles)
        entries = (
            replace(entry, coverage=Coverage.REVIEWED) if entry.bundle in done else entry
            for entry in self.entries
        )
        return replace(self, entries=tuple(entries))

    def changed_lines(self) -> Mapping[Coverage, int]:
        """Added and deleted lines by what became of them; the sum is that of `stats`."""
        counts = dict.fromkeys(Coverage, 0)
        for entry in self.entries:
            counts[entry.coverage] += entry.added + entry.deleted
        return counts

    @property
    def is_complete(self) -> bool:
        """Whether everything was reviewed or excluded by a rule."""
        return all(entry.coverage in (Coverage.REVIEWED, Coverage.EXCLUDED) for entry in self.entries)
