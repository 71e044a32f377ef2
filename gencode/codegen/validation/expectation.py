"""What the plan expects of a file: plain values, so that the child process needs no pydantic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What the plan says about a file.

    purpose  what the file is for, in the model's words
    exports  what other files may use of it, as the model describes it
    """

    purpose: str = ""
    exports: Sequence[str] = ()


Expectations = Mapping[str, Expectation]
"""Expectations by path, in the order of the plan."""


def expectations_from_json(value: Mapping[str, Any]) -> Expectations:
    """Expectations from JSON, each as `dataclasses.asdict` returns it."""
    return {path: Expectation(**fields) for path, fields in value.items()}
