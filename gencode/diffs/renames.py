"""Finds which added files are deleted ones under another name, as `git diff -M` does.

Equal content first; then the most similar pairs, where at least half of the larger file's bytes are lines
that both have.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dulwich.objects import TreeEntry

THRESHOLD = 0.5
"""Of the bytes of the larger file."""
_CHUNK = re.compile(rb"[^\n]{0,63}\n|[^\n]{1,64}")
_NULL_BLOB = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
Read = Callable[[TreeEntry], bytes | None]
"""The content of a regular file; None if it is too large to be compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenameLimits:
    """Where there are more, only files of equal content are found.

    max_pairs   of a deleted and an added file that are compared
    max_bytes   of all files that are compared
    max_chunks  that are looked up in other files: two seconds
    """

    max_pairs: int = 40_000
    max_bytes: int = 32 * 2**20
    max_chunks: int = 10_000_000


def find_renames(
    deleted: Sequence[TreeEntry], added: Sequence[TreeEntry], read: Read, limits: RenameLimits
) -> dict[bytes, TreeEntry]:
    """The former entry of each added path that is a rename. No file is renamed twice."""
    found = _exact(deleted, added)
    taken = {entry.path for entry in found.values()}
    rest = [entry for entry in deleted if entry.path not in taken and _is_file(entry)]
    candidates = [entry for entry in added if entry.path not in found and _is_file(entry)]
    if len(rest) * len(candidates) <= limits.max_pairs:
        for old, new in _similar(rest, candidates, _Similarity(read, limits)):
            if new.path not in found and old.path not in taken:
                found[new.path] = old
                taken.add(old.path)
    return found


def _exact(deleted: Sequence[TreeEntry], added: Sequence[TreeEntry]) -> dict[bytes, TreeEntry]:
    """Of several with this content, the one with the same file name, else the first."""
    by_content: dict[tuple[bytes, int], list[TreeEntry]] = defaultdict(list)
    for entry in deleted:
        by_content[_content(entry)].append(entry)
    found = {}
    for same_name in (True, False):
        for entry in added:
            left = by_content.get(_content(entry), [])
            index = 0 if not same_name else _index_of_name(left, entry)
            if entry.path not in found and 0 <= index < len(left):
                found[entry.path] = left.pop(index)
    return found


def _index_of_name(entries: list[TreeEntry], wanted: TreeEntry) -> int:
    return next((n for n, entry in enumerate(entries) if _name(entry) == _name(wanted)), -1)


def _content(entry: TreeEntry) -> tuple[bytes, int]:
    return bytes(entry.sha), entry.mode & 0o170000


def _is_file(entry: TreeEntry) -> bool:
    """Empty files are similar to nothing."""
    return entry.mode & 0o170000 == 0o100000 and entry.sha != _NULL_BLOB


def _name(entry: TreeEntry) -> bytes:
    return bytes(entry.path).rpartition(b"/")[2]


def _similar(
    deleted: Sequence[TreeEntry], added: Sequence[TreeEntry], similarity: _Similarity
) -> Iterator[tuple[TreeEntry, TreeEntry]]:
    """Pairs, the most similar first; of equally similar ones those with the same file name."""
    scored = [
        (-score, _name(old) != _name(new), old.path, new.path, old, new)
        for old in deleted
        for new in added
        if (score := similarity.of(old, new)) >= THRESHOLD
    ]
    scored.sort(key=lambda pair: pair[:4])
    return ((old, new) for *_, old, new in scored)


class _Similarity:
    """Counts the chunks of each file once. A chunk is a line, or 64 bytes of a longer one."""

    def __init__(self, read: Read, limits: RenameLimits) -> None:
        self._read = read
        self._bytes_left = limits.max_bytes
        self._chunks_left = limits.max_chunks
        self._chunks: dict[bytes, tuple[int, Mapping[bytes, int]] | None] = {}

    def of(self, old: TreeEntry, new: TreeEntry) -> float:
        """From 0 to 1; 0 once a limit is reached."""
        first, second = self._counted(old), self._counted(new)
        if first is None or second is None:
            return 0
        sizes = first[0], second[0]
        if min(sizes) < THRESHOLD * max(sizes):
            return 0
        self._chunks_left -= len(first[1])
        if self._chunks_left < 0:
            return 0
        common = sum(len(chunk) * min(n, second[1].get(chunk, 0)) for chunk, n in first[1].items())
        return common / max(*sizes, 1)

    def _counted(self, entry: TreeEntry) -> tuple[int, Mapping[bytes, int]] | None:
        """The size and the chunks; None once the limit is reached."""
        if entry.sha not in self._chunks:
            data = self._read(entry)
            self._bytes_left -= len(data or b"")
            fits = data is not None and self._bytes_left >= 0
            self._chunks[entry.sha] = (len(data), Counter(_CHUNK.findall(data))) if data and fits else None
        return self._chunks[entry.sha]
