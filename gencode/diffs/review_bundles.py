"""Chooses what of a diff a model is shown, in bundles of bounded length. Code decides, and the ledger says
what was left out and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gencode.diffs.exclusions import ExclusionRules, exclusion_of
from gencode.diffs.hunk_splitting import split_hunk
from gencode.diffs.rendering import render_file_head, render_hunk
from gencode.diffs.review_ledger import Coverage, LedgerEntry, ReviewLedger
from gencode.diffs.values import Diff, FileDiff, Hunk, LineKind, Side

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "testing"})
_TEST_NAME = re.compile(r"test_.*|[^.]*(?:_test|_spec|Tests?)\..*|[^.]*\.(?:test|spec)\..*")
_TEXTS = re.compile(
    r".*\.(?:md|rst|txt|adoc|json|ya?ml|toml|ini|cfg|xml|csv|svg|lock|properties)", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleLimits:
    """Characters, and lines of context.

    bundle   of one bundle, which is one call of a model
    total    of all bundles; what comes after it is over budget
    context  lines of the enclosing function that are shown before a hunk, and after it
    """

    bundle: int = 24_000
    total: int = 400_000
    context: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFile:
    """The new version of a file, from which context is taken.

    lines      by number, see `blob_lines`
    functions  the lines of each function or method, from its first to behind its last; they may be nested.
               `codegen.project_checker` finds them in a limited child
    """

    lines: Mapping[int, bytes]
    functions: Sequence[range] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """What one call of a model is shown. `paths`: of the files in it, as in the diff."""

    number: int
    text: str
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewPlan:
    bundles: tuple[Bundle, ...]
    ledger: ReviewLedger


def plan_review(
    diff: Diff,
    limits: BundleLimits,
    rules: ExclusionRules | None = None,
    new_files: Mapping[str, NewFile] | None = None,
) -> ReviewPlan:
    """Put the hunks of a diff into bundles: source code first, then tests, then texts and data.

    new_files  by path; a file that is missing gets no further context
    """
    planner = _Planner(limits, rules or ExclusionRules(), new_files or {})
    order = sorted(range(len(diff.files)), key=lambda n: (_rank(diff.files[n]), n))
    entries = {n: planner.entries(n, diff.files[n]) for n in order}
    in_order = (entry for n in range(len(diff.files)) for entry in entries[n])
    ledger = ReviewLedger(entries=tuple(in_order), stats=diff.stats)
    return ReviewPlan(bundles=planner.bundles(), ledger=ledger)


def _rank(file: FileDiff) -> int:
    *folders, name = file.path.split("/")
    if _TEST_NAME.fullmatch(name) or not _TEST_FOLDERS.isdisjoint(folders):
        return 1
    return 2 if _TEXTS.fullmatch(file.path) else 0


@dataclass(kw_only=True, slots=True)
class _OpenBundle:
    texts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, path: str, text: str) -> None:
        self.texts.append(text)
        self.size += len(text)
        if self.paths[-1:] != [path]:
            self.paths.append(path)


class _Planner:
    def __init__(self, limits: BundleLimits, rules: ExclusionRules, new_files: Mapping[str, NewFile]) -> None:
        self._limits = limits
        self._rules = rules
        self._new_files = new_files
        self._bundles: list[_OpenBundle] = []
        self._left = limits.total

    def bundles(self) -> tuple[Bundle, ...]:
        return tuple(
            Bundle(number=number, text="".join(bundle.texts), paths=tuple(dict.fromkeys(bundle.paths)))
            for number, bundle in enumerate(self._bundles)
        )

    def entries(self, number: int, file: FileDiff) -> list[LedgerEntry]:
        """`number`: of the file in the diff."""
        new_file = self._new_file(file)
        if reason := exclusion_of(file, self._rules, new_file.lines if new_file else None):
            excluded = LedgerEntry(file=number, path=file.path, coverage=Coverage.EXCLUDED, reason=reason)
            return [_entry(excluded, n, hunk) for n, hunk in enumerate(file.hunks)] or [excluded]
        return list(self._planned(number, file))

    def _new_file(self, file: FileDiff) -> NewFile | None:
        return None if file.new_path is None else self._new_files.get(file.new_path)

    def _planned(self, number: int, file: FileDiff) -> Iterator[LedgerEntry]:
        head = render_file_head(file)
        for n, hunk in enumerate(file.hunks):
            for part, piece in enumerate(self._pieces(file, hunk, self._limits.bundle - len(head))):
                bundle = self._place(file, head, self._texts(file, n, piece))
                coverage = Coverage.OVER_BUDGET if bundle is None else Coverage.PLANNED
                entry = LedgerEntry(file=number, path=file.path, part=part, coverage=coverage, bundle=bundle)
                yield _entry(entry, n, piece)

    def _pieces(self, file: FileDiff, hunk: Hunk, max_chars: int) -> list[Hunk]:
        fits = len(render_hunk(file, hunk)) <= max_chars
        return [hunk] if fits else split_hunk(hunk, max_chars)

    def _texts(self, file: FileDiff, index: int, piece: Hunk) -> Iterator[str]:
        """What may be shown of a piece, the longest first."""
        before, after = self._context(file, index, piece)
        if before or after:
            yield render_hunk(file, piece, before, after)
        yield render_hunk(file, piece)

    def _place(self, file: FileDiff, head: str, texts: Iterator[str]) -> int | None:
        """The number of the bundle, the last one or a new one; None if none of the texts fits anywhere."""
        for text in texts:
            last = self._bundles[-1] if self._bundles else None
            if last is not None and last.paths[-1] == file.path and self._fits(last.size, text):
                return self._add(file.path, text)
            whole = head + text
            if last is not None and self._fits(last.size, whole):
                return self._add(file.path, whole)
            if self._fits(0, whole):
                self._bundles.append(_OpenBundle())
                return self._add(file.path, whole)
        return None

    def _fits(self, size: int, text: str) -> bool:
        return size + len(text) <= self._limits.bundle and len(text) <= self._left

    def _add(self, path: str, text: str) -> int:
        self._left -= len(text)
        self._bundles[-1].add(path, text)
        return len(self._bundles) - 1

    def _context(self, file: FileDiff, index: int, piece: Hunk) -> tuple[_Lines, _Lines]:
        """The lines of the enclosing function around a piece, up to its neighbours in the diff."""
        new_file = self._new_file(file)
        first = piece.first_line(Side.NEW)
        last = first + piece.new_count - 1
        if new_file is None or not (function := _enclosing(new_file.functions, _changed(piece))):
            return [], []
        hunk = file.hunks[index]
        if (hunk.new_start, hunk.new_count) != (piece.new_start, piece.new_count):
            return [], []
        above = file.hunks[index - 1] if index else None
        below = file.hunks[index + 1] if index + 1 < len(file.hunks) else None
        begin = max(function.start, above.first_line(Side.NEW) + above.new_count if above else 1)
        end = min(function.stop, below.first_line(Side.NEW) if below else function.stop)
        return self._before(new_file, begin, first), self._after(new_file, last + 1, end)

    def _before(self, new_file: NewFile, begin: int, end: int) -> _Lines:
        """The nearest lines, and the first, which tells the function's name."""
        nearest = range(max(begin, end - self._limits.context), end)
        numbers = [*range(begin, min(begin + 1, nearest.start)), *nearest]
        return [(n, new_file.lines[n]) for n in numbers if n in new_file.lines]

    def _after(self, new_file: NewFile, begin: int, end: int) -> _Lines:
        numbers = range(begin, min(end, begin + self._limits.context))
        return [(n, new_file.lines[n]) for n in numbers if n in new_file.lines]


_Lines = list[tuple[int, bytes]]


def _changed(piece: Hunk) -> range:
    """The new lines that were changed; for deleted lines the one in front of which they stood."""
    number = piece.first_line(Side.NEW)
    changed = []
    for line in piece.lines():
        if line.kind is not LineKind.CONTEXT:
            changed.append(number)
        number += line.new is not None
    return range(changed[0], changed[-1] + 1) if changed else range(0)


def _enclosing(functions: Sequence[range], changed: range) -> range | None:
    """The innermost function around the changed lines; else the first in which some of them are."""
    touching = [one for one in functions if one.start < changed.stop and changed.start < one.stop]
    around = [one for one in touching if one.start <= changed.start and changed.stop <= one.stop]
    return min(around or touching[:1], key=len, default=None)


def _entry(entry: LedgerEntry, hunk: int, piece: Hunk) -> LedgerEntry:
    return replace(entry, hunk=hunk, added=piece.added, deleted=piece.deleted)
