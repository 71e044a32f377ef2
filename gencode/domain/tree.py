"""The files of a commit: trees of paths that can be checked out together, within limits of size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gencode.domain.errors import TreeTooLarge, UnsafeTree
from gencode.domain.path_rules import check_path, fold
from gencode.domain.phrase import Phrase

MAX_FILES = 2000
MAX_RENDERED_FILES = 5000
"""Of the project of a blueprint: no model writes a plan of them, and 500 data models have some 4,000."""
MAX_FILE_BYTES = 2 * 2**20
MAX_TREE_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by path, validated by `Tree.of`; all have mode 100644."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, files: Mapping[str, bytes], *, workflows: bool = False, most: int = MAX_FILES) -> Tree:
        """Raises UnsafePath for an unsafe path, UnsafeTree for a clash and too many or too large files."""
        check_paths(files, workflows=workflows, most=most)
        _check_sizes(files)
        return cls({path: files[path] for path in sorted(files)})


def check_paths(paths: Iterable[str], *, workflows: bool = False, most: int = MAX_FILES) -> None:
    """Check that the paths can be in one tree. `workflows`: whether .github/workflows is allowed.

    Raises UnsafePath, UnsafeTree.
    """
    tree = PathSet(workflows=workflows, most=most)
    for path in paths:
        tree.add(path)


class PathSet:
    """Paths that can be in one tree; each path is checked once, when it is added."""

    def __init__(self, *, workflows: bool = False, most: int = MAX_FILES) -> None:
        self._workflows, self._most = workflows, most
        self._count = 0
        self._files: dict[str, str] = {}
        self._directories: dict[str, str] = {}

    def add(self, path: str) -> None:
        """Raises UnsafePath for an unsafe path, UnsafeTree for a clash and for too many paths."""
        self._count += 1
        if self._count > self._most:
            raise UnsafeTree(Phrase("the project has more than {most} files", most=self._most))
        check_path(path, workflows=self._workflows)
        _record(self._files, self._directories, path)
        for directory in _directories(path):
            _record(self._directories, self._files, directory)


def _record(spellings: dict[str, str], others: Mapping[str, str], name: str) -> None:
    """Record a spelling. src/ and Src/ are one directory on some systems: a checkout there would differ from
    the commit."""
    folded = fold(name)
    if folded in others:
        raise UnsafeTree(Phrase("{name!r} would be a file and a folder at once", name=name))
    other = spellings.setdefault(folded, name)
    if other != name:
        raise UnsafeTree(
            Phrase("{name!r} and {other!r} are one name on some systems", name=name, other=other)
        )


def _directories(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _check_sizes(files: Mapping[str, bytes]) -> None:
    total = 0
    for path, data in files.items():
        total += len(data)
        if len(data) > MAX_FILE_BYTES:
            raise TreeTooLarge(
                Phrase(
                    "{path!r} is larger than {max_file_bytes} bytes", path=path, max_file_bytes=MAX_FILE_BYTES
                )
            )
    if total > MAX_TREE_BYTES:
        raise TreeTooLarge(
            Phrase("the project is larger than {max_tree_bytes} bytes", max_tree_bytes=MAX_TREE_BYTES)
        )
