"""What a check found, told to a model that repairs the file and to a person who reads the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """Stable ids of the rules; declared in the order in which a file's findings are told."""

    SYNTAX = "syntax"
    """The file does not parse."""
    PLACEHOLDER = "placeholder"
    """Something stands for code that was left out."""
    EMPTY = "empty-file"
    """Nothing is in it, and nothing in the plan says so."""
    UNRESOLVED = "unresolved-import"
    """An import names a file of the project that is not there."""
    MISSING_NAME = "missing-name"
    """An import names something that its file does not define."""
    UNDECLARED = "undeclared-dependency"
    """A package is imported that no manifest declares."""
    BROKEN_PROMISE = "broken-promise"
    """The plan promises an export that the file does not define."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`path` is the file to repair; `line` counts from 1, and 0 means the file as a whole."""

    path: str
    line: int
    rule: Rule
    message: str


def shown(text: str, limit: int = 80) -> str:
    """A piece of somebody's text on one line, for use in a message."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
