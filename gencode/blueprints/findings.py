"""Findings of the validator: the element, the rule, and a proposed fix.

    Finding(element="dataModels/Order/fields/class", rule=Rule.RESERVED_WORD, ...)

An element is named by ids, so that a finding stays true when elements are moved. A fix changes properties of
the element,
or removes it:  `{"changes": {"name": "class_item"}}`, `{"remove": true}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gencode.blueprints.finding_messages import MESSAGES
from gencode.blueprints.rules import Rule


class Severity(StrEnum):
    ERROR = "error"
    """The project could not be built, or would not work."""
    WARNING = "warning"
    """It can be built; what is doubtful should be looked at."""


class Fix(BaseModel):
    """`changes`: properties of the element by JSON names; null removes one. `remove`: the whole element."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    changes: dict[str, JsonValue] = Field(default_factory=dict)
    remove: bool = False


class Finding(BaseModel):
    """`parameters` are the values of the message, which `message` renders in a language."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    element: str
    rule: Rule
    severity: Severity = Severity.ERROR
    parameters: dict[str, str] = Field(default_factory=dict)
    fix: Fix | None = None

    def message(self, language: str = "en") -> str:
        english, chinese = MESSAGES[self.rule]
        return (chinese if language.startswith("zh") else english).format_map(self.parameters)

    def shown(self, language: str = "en") -> Mapping[str, Any]:
        """The finding as clients get it."""
        return {
            "element": self.element,
            "rule": self.rule.value,
            "severity": self.severity.value,
            "message": self.message(language),
            "fix": None if self.fix is None else self.fix.model_dump(exclude_defaults=True),
        }


def is_valid(findings: list[Finding]) -> bool:
    """Whether a project can be built: warnings do not prevent it."""
    return not any(finding.severity is Severity.ERROR for finding in findings)
