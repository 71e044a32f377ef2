"""Reads from a task which template the offline model used for its project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import Task


def template_of(task: Task) -> Mapping[str, Any] | None:
    """The template in JSON: name, title by language, nearest_to, is_fallback. If the project comes from the
    prompt cache, it is the template of the earlier task. None if a language model writes the project."""
    found: Mapping[str, Any] | None = task.result.get("template") or task.parameters.get("template")
    return found
