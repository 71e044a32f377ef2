"""The template of a project that no language model wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import Task


def template_of(task: Task) -> Mapping[str, Any] | None:
    """The template that the project is, in JSON: name, title by language, nearest_to, is_fallback. It is that
    of the earlier task if the project comes from the prompt cache. None: a language model writes it."""
    found: Mapping[str, Any] | None = task.result.get("template") or task.parameters.get("template")
    return found
