"""What a patch changes in the files that came with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gencode.diffs import (
    Diff,
    ExclusionRules,
    FileDiff,
    FileKind,
    LineKind,
    Status,
    exclusion_of,
    parse_patch,
)
from gencode.diffs.text_diff import split_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedFile:
    """lines   numbers of the new version's lines that were added, or before which lines were deleted
    before  the old version; None for a new file
    reason  why the file cannot be used; "" if it can
    """

    lines: tuple[int, ...] = ()
    before: str | None = None
    reason: str = ""


def changed_files(patch: str, files: Mapping[str, str]) -> Mapping[str, ChangedFile]:
    """By path; of several changes of a file the last one counts. Slow for large patches: call it in a thread.
    Raises PatchError, DiffTooLarge."""
    diffs = [commit.diff for commit in parse_patch(patch.encode("utf-8", "surrogatepass")).commits]
    return {path: change for diff in diffs for path, change in changes_of(diff, files).items()}


def changes_of(diff: Diff, files: Mapping[str, str]) -> dict[str, ChangedFile]:
    """By path."""
    return {file.path: _changed(file, files) for file in diff.files}


def _changed(file: FileDiff, files: Mapping[str, str]) -> ChangedFile:
    if file.status is Status.DELETED or file.kind is not FileKind.TEXT:
        return ChangedFile(reason="it is deleted, or no text")
    if excluded := exclusion_of(file, ExclusionRules()):
        return ChangedFile(reason=f"it is left out ({excluded})")
    if file.path not in files:
        return ChangedFile(reason="its text was not sent")
    lines = split_lines(files[file.path].encode("utf-8", "surrogatepass"))
    if not _fits(file, lines):
        return ChangedFile(reason="the text that was sent is not the version after the patch")
    return ChangedFile(lines=tuple(sorted(_numbers(file))), before=_before(file, lines))


def _numbers(file: FileDiff) -> set[int]:
    found = set()
    for hunk in file.hunks:
        following = hunk.new_start + (hunk.new_count == 0)
        for line in hunk.lines():
            if line.new is not None:
                following = line.new + 1
            if line.kind is LineKind.ADDED and line.new is not None:
                found.add(line.new)
            elif line.kind is LineKind.DELETED:
                found.add(max(1, following))
    return found


def _fits(file: FileDiff, lines: list[bytes]) -> bool:
    """Whether the hunks' lines are where the patch says."""
    present = ((line.new, line.text) for hunk in file.hunks for line in hunk.lines() if line.new is not None)
    return all(
        number <= len(lines) and lines[number - 1].rstrip(b"\r\n") == text.rstrip(b"\r")
        for number, text in present
    )


def _before(file: FileDiff, lines: list[bytes]) -> str | None:
    """The old version, from the new one and the hunks."""
    if file.status is Status.ADDED:
        return None
    old, at = list[bytes](), 0
    for hunk in file.hunks:
        start = hunk.new_start - 1 + (hunk.new_count == 0)
        old += lines[at:start]
        old += [line.text + b"\n" * line.has_newline for line in hunk.lines() if line.old is not None]
        at = start + hunk.new_count
    return b"".join([*old, *lines[at:]]).decode("utf-8", "surrogatepass")
