"""The lock files of the official template sets: of nothing else is an environment made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from gencode.blueprints.stack import Stack

_WITHOUT = ("common",)
"""Template sets that need nothing."""


class Tool(StrEnum):
    """What installs a lock file."""

    PYTHON = "python"
    NODE = "node"


_FILES: Mapping[Tool, tuple[str, ...]] = {
    Tool.PYTHON: ("requirements.lock",),
    Tool.NODE: ("package-lock.json", "package.json"),
}
"""The first one is the lock file. The others are of use with it only."""
_SETS: Mapping[str, tuple[Tool, str]] = {
    "fastapi": (Tool.PYTHON, "backend"),
    "vue": (Tool.NODE, "frontend"),
}
"""By template set: the tool, and the folder in a project."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """folder  in a project
    files   by name
    """

    tool: Tool
    folder: str
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 of the files."""
        parts = (f"{name}\0{hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(self.files.items()))
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @property
    def path(self) -> str:
        """Of the lock file in a project."""
        return f"{self.folder}/{_FILES[self.tool][0]}"

    def is_in(self, project: Mapping[str, bytes]) -> bool:
        """Whether the project has exactly these files."""
        return all(project.get(f"{self.folder}/{name}") == data for name, data in self.files.items())


@lru_cache(maxsize=1)
def official_locks() -> Mapping[str, Lock]:
    """By template set."""
    return {name: _official(name, tool, folder) for name, (tool, folder) in _SETS.items() if _has(name)}


def _has(name: str) -> bool:
    return (files("gencode.blueprints") / "templates" / name).is_dir()


def _official(name: str, tool: Tool, folder: str) -> Lock:
    source = files("gencode.blueprints") / "templates" / name
    return Lock(tool=tool, folder=folder, files={one: (source / one).read_bytes() for one in _FILES[tool]})


def needed_locks(stack: Stack) -> dict[str, Lock | None]:
    """By template set of a stack; None for a set without an official lock file."""
    return {name: official_locks().get(name) for name in stack.template_sets if name not in _WITHOUT}
