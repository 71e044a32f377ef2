"""Which paths are safe as file names on every system.

The names come from a model and are untrusted. Git, and the validator of dulwich, accept names that break or
attack a checkout on some system; these rules are stricter (HFS+ and NTFS folding, Windows devices,
bidirectional text).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from gencode.domain.errors import UnsafePath
from gencode.domain.phrase import Phrase

SEGMENT_BYTES = 255  # NAME_MAX of every common file system
PATH_BYTES = 1024

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?: *\..*)?", re.IGNORECASE
)
_GIT_SHORT = re.compile(r"(?:gi|ma)[^~]{1,4}~[0-9]+", re.IGNORECASE)
"""Short names of .git, .gitmodules, .gitattributes and .mailmap on NTFS: git~1, GITMOD~1, gi7eba~1."""
_RESERVED = frozenset('\\:*?"<>|')
_SPECIAL_FILES = frozenset({".gitmodules", ".gitattributes", ".gitconfig", ".mailmap"})
"""Git reads them: they change what a checkout contains, or where it fetches from."""
_WORKFLOW_DIRECTORIES = (
    *(".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"),
    *(".workflow/", ".woodpecker/"),  # Gitee's, Codeberg's
)
_WORKFLOW_FILES = frozenset(
    {".gitlab-ci.yml", "bitbucket-pipelines.yml", ".woodpecker.yml", ".woodpecker.yaml"}
)


def check_path(path: str, *, workflows: bool = False) -> None:
    """Check that a path is safe on every system. Raises UnsafePath."""
    if reason := next(_faults(path, workflows), None):
        raise UnsafePath(
            Phrase(
                "{path!r} cannot be a file name here: {reason}",
                path=path[:200],
                reason=Phrase(reason) if type(reason) is str else reason,
            )
        )


def is_workflow(path: str) -> bool:
    """Whether a Git host would run the file when it is pushed, with tokens of the repository or its group.
    Repositories move from host to host, so the present host does not matter."""
    folded = fold(path)
    return folded.startswith(_WORKFLOW_DIRECTORIES) or folded in _WORKFLOW_FILES


def is_read_by_git(path: str) -> bool:
    """Whether the file has a meaning for Git, in any directory: it cannot be in a project, and does no harm
    to one that is written without it."""
    return fold(path.rpartition("/")[2]) in _SPECIAL_FILES


def _faults(path: str, workflows: bool) -> Iterator[str]:
    if len(path.encode("utf-8", "replace")) > PATH_BYTES:
        yield Phrase("it is longer than {most} bytes", most=PATH_BYTES)
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
    folded = fold(segment)
    if segment in ("", ".", ".."):
        yield "a path is relative and has no empty, '.' or '..' part"
    if _RESERVED & set(segment):
        yield 'none of \\ : * ? " < > | may stand in a name'
    if segment.endswith((".", " ")) or segment.startswith(" "):
        yield "a name may not end in a dot or space, nor begin with a space"
    if len(segment.encode()) > SEGMENT_BYTES:
        yield Phrase("a name is longer than {most} bytes", most=SEGMENT_BYTES)
    if _DEVICE.fullmatch(segment.rstrip(" .")):
        yield "it is a device name on Windows"
    if folded == ".git" or _GIT_SHORT.fullmatch(segment) or folded in _SPECIAL_FILES:
        yield "it belongs to Git"


def fold(path: str) -> str:
    """The path as the most lenient file systems (HFS+, NTFS) compare it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
