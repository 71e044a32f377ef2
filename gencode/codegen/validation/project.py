"""A project for the rules across files: every file with its analysis, and functions on paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, normpath

from gencode.codegen.validation.file_analysis import FileAnalysis, Symbols


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """`directories` are all directories that contain a file, at any depth; the project's root is ""."""

    files: Mapping[str, str]
    analyses: Mapping[str, FileAnalysis]
    directories: frozenset[str]

    @classmethod
    def of(cls, files: Mapping[str, str], analyses: Mapping[str, FileAnalysis]) -> Project:
        directories = frozenset(directory for path in files for directory in ancestors(path))
        return cls(files=files, analyses=analyses, directories=directories)

    def symbols(self, path: str) -> Symbols:
        analysis = self.analyses.get(path)
        return analysis.symbols if analysis else Symbols()

    def in_language(self, language: str) -> Iterator[tuple[str, Symbols]]:
        for path, analysis in self.analyses.items():
            if analysis.symbols.language == language:
                yield path, analysis.symbols

    def nearest_file(self, path: str, names: frozenset[str]) -> str | None:
        """The file with one of these names in the directory of `path` or the closest one above it."""
        for directory in ancestors(path):
            for name in sorted(names):
                if (found := join(directory, name)) in self.files:
                    return found
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredPackages:
    """The packages that the manifests of a project declare.

    names        in their normal form
    is_complete  False when a manifest computes its list or does not parse: more may be declared
    """

    names: frozenset[str]
    is_complete: bool


def word_set(text: str) -> frozenset[str]:
    """The set of the words in a text; makes tables of names readable."""
    return frozenset(text.split())


def ancestors(path: str) -> Iterator[str]:
    """The directories around a file, the closest first, "" last."""
    directory = dirname(path)
    while directory:
        yield directory
        directory = dirname(directory)
    yield ""


def join(*parts: str) -> str:
    """A path inside the project; one that leads out of it begins with ".."."""
    joined = normpath("/".join(part for part in parts if part)) if any(parts) else ""
    return "" if joined == "." else joined
