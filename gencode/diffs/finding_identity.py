"""The identity of a finding across pushes, and what became of findings when the code changed.

A finding keeps its identity when code around it is added, removed or moved, or the file is renamed, and loses
it when its own line changes. Space within lines does not count.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gencode.diffs.line_matching import changed_lines
from gencode.diffs.paths import path_bytes
from gencode.diffs.text_diff import split_lines
from gencode.diffs.values import Diff, FileDiff, Status

SURROUNDING = 2
"""Lines with text before and after a finding's line that are part of its identity."""
_MAX_DISTANCE = 20
_SIGNIFICANT = 6
"""Letters and digits of a line that is taken for the same without looking at its neighbours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedFinding:
    """Where a finding is in the version of the files that was reviewed last. `line` from 1."""

    identity: str
    path: str
    line: int


class Fate(StrEnum):
    STILL_THERE = "still_there"
    """The line is where it was among its neighbours; its number may be another."""
    MOVED = "moved"
    """The line, with what surrounds it, is elsewhere in the file."""
    FIXED = "fixed"
    """The line was changed or removed. Whether that cured it, a review of the new line says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedFinding:
    """`finding` is where it is now; where it was last if it is fixed."""

    fate: Fate
    finding: TrackedFinding


def finding_identity(path: str, lines: Sequence[bytes], line: int, rule: str) -> str:
    """32 hexadecimal digits, for a finding that is told for the first time.

    path   at that time; a finding that is carried over keeps its identity under another
    lines  of the file, see `split_lines`; `line` counts from 1
    rule   what it is about: a rule's name, or a title, of which space and case do not count
    """
    at = line - 1
    parts = [path_bytes(path), " ".join(rule.casefold().split()).encode("utf-8", "replace")]
    parts += _surrounding(_normalised(lines), at)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def distinct_identities(identities: Sequence[str]) -> list[str]:
    """For findings in the order of a file: copies of a piece of code give equal identities, which are
    numbered from the second on."""
    seen: Counter[str] = Counter()
    distinct = []
    for identity in identities:
        seen[identity] += 1
        distinct.append(identity if seen[identity] == 1 else f"{identity}-{seen[identity]}")
    return distinct


def carry_over(
    findings: Sequence[TrackedFinding],
    between: Diff,
    read_old: Callable[[FileDiff], bytes],
    read_new: Callable[[FileDiff], bytes],
) -> list[CarriedFinding]:
    """What became of findings, in their order.

    between             the diff from the version in which they were found to the new one
    read_old, read_new  the contents of a file of that diff; called for files with findings only
    """
    files = {file.old_path: file for file in between.files if _continues(file)}
    versions: dict[str, _Versions] = {}
    carried = []
    for finding in findings:
        file = files.get(finding.path)
        if file is None:
            carried.append(CarriedFinding(fate=Fate.STILL_THERE, finding=finding))
            continue
        if finding.path not in versions:
            new = b"" if file.new_path is None else read_new(file)
            versions[finding.path] = _Versions(split_lines(read_old(file)), split_lines(new))
        carried.append(_carried(finding, file, versions[finding.path]))
    return carried


def _continues(file: FileDiff) -> bool:
    """Whether the file is what became of the one at `old_path`. A copy leaves that as it is."""
    return file.old_path is not None and file.status is not Status.COPIED


def _carried(finding: TrackedFinding, file: FileDiff, versions: _Versions) -> CarriedFinding:
    fate, line = versions.fate(finding.line)
    if line is None:
        return CarriedFinding(fate=fate, finding=finding)
    return CarriedFinding(fate=fate, finding=replace(finding, path=file.path, line=line))


class _Versions:
    """Two versions of a file, with the lines that both have."""

    def __init__(self, old: Sequence[bytes], new: Sequence[bytes]) -> None:
        self._old, self._new = _normalised(old), _normalised(new)
        self._new_index = _equal_lines(self._old, self._new)
        self._new_lines = set(range(len(new))) - set(self._new_index.values())
        self._counts = Counter(self._old), Counter(self._new)
        self._places: dict[tuple[bytes, ...], list[int]] = {}

    def fate(self, line: int) -> tuple[Fate, int | None]:
        """What became of a line of the old version, and its number in the new one."""
        at = line - 1
        if not 0 <= at < len(self._old):
            return Fate.FIXED, None
        found = self._new_index.get(at)
        if found is not None and self._is_same(at, found):
            return Fate.STILL_THERE, found + 1
        moved = self._moved(at)
        return (Fate.FIXED, None) if moved is None else (Fate.MOVED, moved + 1)

    def _is_same(self, old: int, new: int) -> bool:
        """A "}" that is equal by chance is not the same line: a neighbour must have stayed, too."""
        if _is_significant(self._old[old]) or len(self._old) == 1:
            return True
        return any(self._new_index.get(old + step, -2) == new + step for step in (-1, 1))

    def _moved(self, at: int) -> int | None:
        """The one new line with the same text and surrounding lines; or with the same text, if that says
        enough and has always been there once."""
        self._places = self._places or self._new_places()
        line = self._old[at]
        found = self._places.get(tuple(_surrounding(self._old, at)), [])
        if len(found) == 1 and line:
            return found[0]
        if _is_significant(line) and all(counts[line] == 1 for counts in self._counts):
            return next((n for n in self._new_lines if self._new[n] == line), None)
        return None

    def _new_places(self) -> dict[tuple[bytes, ...], list[int]]:
        found: dict[tuple[bytes, ...], list[int]] = {}
        for at in sorted(self._new_lines):
            found.setdefault(tuple(_surrounding(self._new, at)), []).append(at)
        return found


def _is_significant(line: bytes) -> bool:
    return sum(byte > 127 or chr(byte).isalnum() for byte in line) >= _SIGNIFICANT


def _equal_lines(old: Sequence[bytes], new: Sequence[bytes]) -> dict[int, int]:
    """Positions of the longest common subsequence."""
    old_changed, new_changed = changed_lines(old, new)
    kept = (n for n, flag in enumerate(new_changed) if not flag)
    return dict(zip((n for n, flag in enumerate(old_changed) if not flag), kept, strict=True))


def _normalised(lines: Sequence[bytes]) -> list[bytes]:
    return [b" ".join(line.split()) for line in lines]


def _surrounding(lines: Sequence[bytes], at: int) -> list[bytes]:
    """The nearest lines with text before a line, the line, and those after it."""
    before = _with_text(lines, range(at - 1, -1, -1))
    after = _with_text(lines, range(at + 1, len(lines)))
    return [*reversed(before), lines[at], *after]


def _with_text(lines: Sequence[bytes], places: range) -> list[bytes]:
    """Up to SURROUNDING; b"" stands for those beyond an end of the file, or beyond many empty lines."""
    found = [lines[n] for n in places[:_MAX_DISTANCE] if lines[n]][:SURROUNDING]
    return found + [b""] * (SURROUNDING - len(found))
