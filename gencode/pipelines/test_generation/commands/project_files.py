"""The files of the working directory that a task needs: the changed and named ones, existing tests, and those
that say which framework is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gencode.cli.git_command import git_output
from gencode.domain.errors import StartError
from gencode.pipelines.test_generation.frameworks import is_test_file, language_of
from gencode.pipelines.test_generation.selection import MAX_CHARACTERS, MAX_FILE, file_of, needed


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFiles:
    """`patch`: None without a base; `functions`: names and files that were given."""

    files: dict[str, str]
    patch: str | None
    functions: list[str]


def project_files(folder: Path, base: str | None, targets: Sequence[str]) -> ProjectFiles:
    """`targets`: files, functions, or FILE:FUNCTION. Raises StartError."""
    patch, changed = None, list[str]()
    if base is not None:
        patch = _git(folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", base, "--")
        changed = _git(folder, "diff", "--name-only", "-z", "--diff-filter=d", base, "--").split("\0")
    named = [path for target in targets if (path := _file_of(folder, target))]
    tracked = _tracked(folder)
    sources = [path for path in dict.fromkeys([*changed, *named]) if path]
    if base is None and not named:
        sources = [path for path in tracked if language_of(path) and not is_test_file(path)]
    files = dict(_texts(folder, needed(sources, tracked)))
    if not files:
        raise StartError("no file was found: name files of this folder, or run this in a Git work tree")
    return ProjectFiles(files=files, patch=patch, functions=list(targets))


def _file_of(folder: Path, target: str) -> str:
    path = file_of(target)
    return path if (folder / path).is_file() else ""


def _texts(folder: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Text files of this folder, as far as there is room; no links."""
    room = MAX_CHARACTERS
    for path in paths:
        file = folder / path
        if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
            continue
        try:
            text = file.read_bytes()[: MAX_FILE + 1].decode()
        except (OSError, UnicodeDecodeError):
            continue
        if len(text) <= min(MAX_FILE, room):
            room -= len(text)
            yield PurePosixPath(path).as_posix(), text


def _tracked(folder: Path) -> list[str]:
    try:
        listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except StartError:
        return []
    return [path for path in listed.split("\0") if path]


def _git(folder: Path, *arguments: str) -> str:
    """Raises StartError."""
    return git_output(arguments, folder).decode("utf-8", "surrogateescape")
