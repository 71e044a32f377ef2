"""The files of a commit: paths that are safe on every system, and trees of them.

The names come from a model and are untrusted. Git, and the validator of dulwich, accept names that break or
attack a checkout on some system; these rules are stricter (HFS+ and NTFS folding, Windows devices,
bidirectional text).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gencode.domain.errors import TreeTooLarge, UnsafePath, UnsafeTree

SEGMENT_BYTES = 255  # NAME_MAX of every common file system
PATH_BYTES = 1024
MAX_FILES = 2000
MAX_FILE_BYTES = 2 * 2**20
MAX_TREE_BYTES = 32 * 2**20

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?: *\..*)?", re.IGNORECASE
)
_GIT_SHORT = re.compile(r"(?:gi|ma)[^~]{1,4}~[0-9]+", re.IGNORECASE)
"""Short names of .git, .gitmodules, .gitattributes and .mailmap on NTFS: git~1, GITMOD~1, gi7eba~1."""
_RESERVED = frozenset('\\:*?"<>|')
_SPECIAL_FILES = frozenset({".gitmodules", ".gitattributes", ".mailmap"})


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by path, validated by `Tree.of`; all have mode 100644."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, files: Mapping[str, bytes], *, workflows: bool = False) -> Tree:
        """Raises UnsafePath for an unsafe path, UnsafeTree for a clash and too many or too large files."""
        check_paths(files, workflows=workflows)
        _check_sizes(files)
        return cls({path: files[path] for path in sorted(files)})


def check_paths(paths: Iterable[str], *, workflows: bool = False) -> None:
    """Check that the paths can be in one tree. `workflows`: whether .github/workflows is allowed.

    Raises UnsafePath, UnsafeTree.
    """
    tree = PathSet(workflows=workflows)
    for path in paths:
        tree.add(path)


class PathSet:
    """Paths that can be in one tree; each path is checked once, when it is added."""

    def __init__(self, *, workflows: bool = False) -> None:
        self._workflows = workflows
        self._count = 0
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, path: str) -> None:
        """Raises UnsafePath for an unsafe path, UnsafeTree for a clash and for more than MAX_FILES paths."""
        self._count += 1
        if self._count > MAX_FILES:
            raise UnsafeTree(f"the project has more than {MAX_FILES} files")
        check_path(path, workflows=self._workflows)
        _record(self._files, self._folders, path)
        for folder in _folders(path):
            _record(self._folders, self._files, folder)


def _record(spellings: dict[str, str], others: Mapping[str, str], name: str) -> None:
    """Record a spelling. src/ and Src/ are one folder on some systems: a checkout there would differ from the
    commit."""
    folded = _fold(name)
    if folded in others:
        raise UnsafeTree(f"{name!r} would be a file and a folder at once")
    other = spellings.setdefault(folded, name)
    if other != name:
        raise UnsafeTree(f"{name!r} and {other!r} are one name on some systems")


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def check_path(path: str, *, workflows: bool = False) -> None:
    """Check that a path is safe on every system. Raises UnsafePath."""
    if reason := next(_faults(path, workflows), None):
        raise UnsafePath(f"{path[:200]!r} cannot be a file name here: {reason}")


def is_workflow(path: str) -> bool:
    """Whether GitHub would run the file."""
    return _fold(path).startswith(".github/workflows/")


def _faults(path: str, workflows: bool) -> Iterator[str]:
    if len(path.encode("utf-8", "replace")) > PATH_BYTES:
        yield f"it is longer than {PATH_BYTES} bytes"
        return
    if not path.isprintable() or any(unicodedata.category(c) in ("Cf", "Cs", "Co", "Cn") for c in path):
        yield "it has control, invisible or direction-changing characters"
        return
    if unicodedata.normalize("NFC", path) != path:
        yield "it is not in Unicode normal form C"
    for segment in path.split("/"):
        yield from _segment_faults(segment)
    if not workflows and is_workflow(path):
        yield "workflow files are switched off (ALLOW_WORKFLOWS)"


def _segment_faults(segment: str) -> Iterator[str]:
    folded = _fold(segment)
    if segment in ("", ".", ".."):
        yield "a path is relative and has no empty, '.' or '..' part"
    if _RESERVED & set(segment):
        yield 'none of \\ : * ? " < > | may stand in a name'
    if segment.endswith((".", " ")) or segment.startswith(" "):
        yield "a name may not end in a dot or space, nor begin with a space"
    if len(segment.encode()) > SEGMENT_BYTES:
        yield f"a name is longer than {SEGMENT_BYTES} bytes"
    if _DEVICE.fullmatch(segment.rstrip(" .")):
        yield "it is a device name on Windows"
    if folded.startswith(".git") and folded not in (".gitignore", ".github", ".gitkeep", ".gitlab-ci.yml"):
        yield "names that begin with .git belong to Git"
    if _GIT_SHORT.fullmatch(segment) or folded in _SPECIAL_FILES:
        yield "it belongs to Git"


def _check_sizes(files: Mapping[str, bytes]) -> None:
    total = 0
    for path, data in files.items():
        total += len(data)
        if len(data) > MAX_FILE_BYTES:
            raise TreeTooLarge(f"{path!r} is larger than {MAX_FILE_BYTES} bytes")
    if total > MAX_TREE_BYTES:
        raise TreeTooLarge(f"the project is larger than {MAX_TREE_BYTES} bytes")


def _fold(path: str) -> str:
    """The path as the most lenient file systems (HFS+, NTFS) compare it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
