"""Which files are not worth a model's reading, and why. Nothing is left out without a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import islice

from gencode.diffs.paths import display_path
from gencode.diffs.values import FileDiff, FileKind

_VENDORED = frozenset(
    {"node_modules", "bower_components", "site-packages", "third_party", "third-party", "Pods", "Carthage"}
)
_LOCK_TABLE = """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock deno.lock poetry.lock Pipfile.lock
    uv.lock pdm.lock pixi.lock Cargo.lock Gemfile.lock composer.lock go.sum go.work.sum gradle.lockfile
    packages.lock.json mix.lock pubspec.lock Podfile.lock Package.resolved flake.lock conan.lock
    .terraform.lock.hcl MODULE.bazel.lock
"""
_LOCK_FILES = frozenset(_LOCK_TABLE.split())
_GENERATED = re.compile(
    r".*(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h|swift)|_grpc\.pb\.go|\.pb\.gw\.go|\.g\.dart|\.freezed\.dart"
    r"|\.designer\.(?:cs|vb)|\.generated\.\w+|\.snap|\.map)|zz_generated\..*",
    re.IGNORECASE,
)
_MINIFIED = re.compile(r".*[.-]min\.(?:js|mjs|cjs|css)", re.IGNORECASE)
_CAN_BE_MINIFIED = (".js", ".mjs", ".cjs", ".css", ".html", ".svg", ".json")
_LONG_LINES = 300
"""Bytes of an added line on average; written code has 30 to 40."""
_GENERATED_MARK = re.compile(
    rb"code generated\b.*\bdo not edit|@generated\b|\bauto-?generated\b.*\bdo not (?:edit|modify)",
    re.IGNORECASE,
)
_BINARY_BYTES = 8_000
"""Where Git looks for a NUL."""
_MARK_LINES, _MARK_BYTES = 10, 300
"""Where a mark counts: in the first lines of a file."""


class Reason(StrEnum):
    BINARY = "binary"
    SUBMODULE = "submodule"
    OVERSIZED = "oversized"
    NO_LINES = "no_lines"
    """Only its mode or its name has changed, or it is empty."""
    PATTERN = "pattern"
    LOCK_FILE = "lock_file"
    VENDORED = "vendored"
    GENERATED = "generated"
    MINIFIED = "minified"
    TOO_MANY_LINES = "too_many_lines"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExclusionRules:
    """Patterns are of paths, with * for any characters, "/" included.

    exclude    left out in any case
    include    not left out by a rule about names or marks
    max_lines  changed lines of one file
    """

    exclude: Sequence[str] = ()
    include: Sequence[str] = ()
    max_lines: int = 5000


def exclusion_of(
    file: FileDiff, rules: ExclusionRules, new_lines: Mapping[int, bytes] | None = None
) -> Reason | None:
    """Why a file is left out; None if it is to be reviewed.

    new_lines  of the new file by number, as far as they are known: the first may say that it is generated
    """
    path = display_path(file.path)
    if reason := _by_kind(file):
        return reason
    if _matches(path, rules.exclude):
        return Reason.PATTERN
    if not _matches(path, rules.include):
        found = (reason for reason, applies in _RULES.items() if applies(path, file))
        if reason := next(found, _by_mark(new_lines or _top_lines(file))):
            return reason
    return Reason.TOO_MANY_LINES if file.added + file.deleted > rules.max_lines else None


def _by_kind(file: FileDiff) -> Reason | None:
    if file.kind is FileKind.BINARY:
        return Reason.BINARY
    if file.kind is FileKind.SUBMODULE:
        return Reason.SUBMODULE
    if file.kind is FileKind.OVERSIZED:
        return Reason.OVERSIZED
    return None if file.hunks else Reason.NO_LINES


def exclusion_of_content(path: str, content: bytes) -> Reason | None:
    """Why a whole file, not its changes, is not worth reading; None if it is."""
    name = _name(path)
    if name in _LOCK_FILES:
        return Reason.LOCK_FILE
    if is_vendored(path):
        return Reason.VENDORED
    if b"\0" in content[:_BINARY_BYTES]:
        return Reason.BINARY
    if _GENERATED.fullmatch(name) or "__snapshots__" in path.split("/"):
        return Reason.GENERATED
    lines = content.split(b"\n", _MARK_LINES)
    if reason := _by_mark(dict(enumerate(lines[:_MARK_LINES], 1))):
        return reason
    can_be = path.lower().endswith(_CAN_BE_MINIFIED) and len(content) > _LONG_LINES * 2
    is_long = can_be and len(content) > _LONG_LINES * (content.count(b"\n") + 1)
    return Reason.MINIFIED if _MINIFIED.fullmatch(name) or is_long else None


def is_vendored(path: str) -> bool:
    """Whether a file is of somebody else's code. `vendor` is a folder of Go and PHP at the top only;
    elsewhere it may be about vendors."""
    folders = path.split("/")[:-1]
    return folders[:1] == ["vendor"] or not _VENDORED.isdisjoint(folders)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _is_lock_file(path: str, file: FileDiff) -> bool:
    return _name(path) in _LOCK_FILES


def _is_vendored(path: str, file: FileDiff) -> bool:
    return is_vendored(path)


def _is_generated(path: str, file: FileDiff) -> bool:
    return bool(_GENERATED.fullmatch(_name(path))) or "__snapshots__" in path.split("/")


def _by_mark(lines: Mapping[int, bytes]) -> Reason | None:
    first = (lines.get(number, b"")[:_MARK_BYTES] for number in range(1, _MARK_LINES + 1))
    return Reason.GENERATED if any(map(_GENERATED_MARK.search, first)) else None


def _top_lines(file: FileDiff) -> Mapping[int, bytes]:
    """The first lines of the new file as far as the first hunk shows them."""
    lines = islice(file.hunks[0].lines(), 2 * _MARK_LINES)
    return {line.new: line.text for line in lines if line.new is not None}


def _is_minified(path: str, file: FileDiff) -> bool:
    if _MINIFIED.fullmatch(_name(path)):
        return True
    if not path.lower().endswith(_CAN_BE_MINIFIED):
        return False
    size = sum(len(hunk.body) for hunk in file.hunks)
    lines = sum(hunk.body.count(b"\n") for hunk in file.hunks)
    return size > _LONG_LINES * lines


def _name(path: str) -> str:
    return path.rpartition("/")[2]


_RULES: Mapping[Reason, Callable[[str, FileDiff], bool]] = {
    Reason.LOCK_FILE: _is_lock_file,
    Reason.VENDORED: _is_vendored,
    Reason.GENERATED: _is_generated,
    Reason.MINIFIED: _is_minified,
}
