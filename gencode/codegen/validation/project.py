"""All files of a project with what was read of each: what rules across files look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, normpath

from gencode.codegen.validation.file_facts import Reading
from gencode.codegen.validation.symbols import Symbols


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """`folders` are all that hold a file, at any depth; the project's own folder is ""."""

    files: Mapping[str, str]
    readings: Mapping[str, Reading]
    folders: frozenset[str]

    @classmethod
    def of(cls, files: Mapping[str, str], readings: Mapping[str, Reading]) -> Project:
        folders = frozenset(folder for path in files for folder in ancestors(path))
        return cls(files=files, readings=readings, folders=folders)

    def symbols(self, path: str) -> Symbols:
        reading = self.readings.get(path)
        return reading.symbols if reading else Symbols()

    def in_language(self, language: str) -> Iterator[tuple[str, Symbols]]:
        for path, reading in self.readings.items():
            if reading.symbols.language == language:
                yield path, reading.symbols

    def nearest(self, path: str, names: frozenset[str]) -> str | None:
        """The file of one of these names in the folder of `path` or the closest one above it."""
        for folder in ancestors(path):
            for name in sorted(names):
                if (found := join(folder, name)) in self.files:
                    return found
        return None


def ancestors(path: str) -> Iterator[str]:
    """The folders around a file, the closest first, "" last."""
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)
    yield ""


def join(*parts: str) -> str:
    """A path inside the project; one that leads out of it begins with ".."."""
    joined = normpath("/".join(part for part in parts if part)) if any(parts) else ""
    return "" if joined == "." else joined
