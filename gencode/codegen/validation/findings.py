"""Findings of the validator: `Finding`, the ids of the rules, and constructors of common findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

_MAX_LOCATIONS = 3
"""The most locations that a message lists; a repair needs no more."""


class Rule(StrEnum):
    """Stable ids of the rules, declared in the order in which the findings of one line are reported."""

    SYNTAX = "syntax"
    """The file does not parse."""
    RESIDUE = "answer-residue"
    """The file contains a part of the model's answer that is not the file: reasoning, an end token, a
    fence."""
    PLACEHOLDER = "placeholder"
    """A comment or an empty body stands for code that was left out."""
    EMPTY = "empty-file"
    """The file is empty, and its purpose in the plan does not say that it should be."""
    UNRESOLVED = "unresolved-import"
    """An import names a file of the project that does not exist."""
    MISSING_NAME = "missing-name"
    """An import names something that the imported file does not define."""
    UNDECLARED = "undeclared-dependency"
    """A package is imported that no manifest declares."""
    BROKEN_PROMISE = "broken-promise"
    """The plan lists an export that the file does not define."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`path` is the file to repair; `line` counts from 1, and 0 means the file as a whole.

    message      what is wrong, one clause without a full stop, for users and for the model
    instruction  what the model must do about it, a sentence; not shown to users
    """

    path: str
    line: int
    rule: Rule
    message: str
    instruction: str = ""

    @property
    def shown(self) -> Mapping[str, str | int]:
        """The fields that are shown to users and clients."""
        return {"path": self.path, "line": self.line, "rule": self.rule, "message": self.message}

    @property
    def for_model(self) -> str:
        """The finding as the request for a repair lists it."""
        text = f"line {self.line}: {self.message}" if self.line else self.message
        return f"{text}. {self.instruction}" if self.instruction else text


def excerpt(text: str, limit: int = 80) -> str:
    """Text of a generated file on one line of at most `limit` characters, for use in a message."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def syntax_error(path: str, line: int, reason: str) -> Finding:
    where = f" (line {line})" if line else ""
    return Finding(
        path=path,
        line=line,
        rule=Rule.SYNTAX,
        message=f"{path} does not parse{where}: {reason.rstrip('.')}",
        instruction="Write the whole file again, complete and valid.",
    )


def uncheckable(path: str) -> Finding:
    """A file at which the parser of its language crashed, or ran out of memory or time."""
    return Finding(
        path=path,
        line=0,
        rule=Rule.SYNTAX,
        message=f"{path} could not be checked: its parser came to no end",
        instruction="Write the whole file again, and simpler.",
    )


def answer_residue(path: str, line: int, what: str) -> Finding:
    return Finding(
        path=path,
        line=line,
        rule=Rule.RESIDUE,
        message=f"{what} in line {line} of {path} is no part of the file",
        instruction="Write the whole file without it.",
    )


def placeholder(path: str, line: int, what: str) -> Finding:
    return Finding(
        path=path,
        line=line,
        rule=Rule.PLACEHOLDER,
        message=f"{what} in line {line} of {path} stands for code that is missing",
        instruction="Write that code out.",
    )


def undeclared_dependency(manifest: str, message: str) -> Finding:
    """A package that `manifest` lacks; the manifest is the file to repair."""
    return Finding(
        path=manifest, line=0, rule=Rule.UNDECLARED, message=message, instruction="Declare it there."
    )


def undeclared_without_manifest(path: str, locations: Sequence[str], message: str) -> Finding:
    """A package that is imported in a project without a manifest, reported at the first of `locations`
    ("PATH:LINE" of each import)."""
    line = int(locations[0].rpartition(":")[2])
    return Finding(path=path, line=line, rule=Rule.UNDECLARED, message=message)


def listed(locations: Sequence[str]) -> str:
    """The first locations of an import, for use in a message."""
    return ", ".join(locations[:_MAX_LOCATIONS]) + (" and others" if len(locations) > _MAX_LOCATIONS else "")
