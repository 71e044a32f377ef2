"""Placeholders of a template: `{{ name }}`. It has no other syntax, so that rendering one runs nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase

_PLACEHOLDER = re.compile(r"\{\{[ \t]{0,20}([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]{0,20}\}\}")
MAX_RENDERED = 1_000_000
"""Characters."""


def variables_of(content: str) -> list[str]:
    """The names of the placeholders, each once, in the order of their first occurrence."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(content)))


def render(content: str, values: Mapping[str, str]) -> str:
    """The content with values for its placeholders. Braces in a value are text. Raises Invalid if a value is
    missing or is for no placeholder, or if the result is too long."""
    names = variables_of(content)
    _check("is needed", [name for name in names if name not in values])
    _check("is no placeholder of the template", [name for name in values if name not in names])
    length = len(content) + sum(len(values[name]) for name in _PLACEHOLDER.findall(content))
    if length > MAX_RENDERED:
        message = Phrase(
            "the rendered text would exceed {max_rendered} characters", max_rendered=MAX_RENDERED
        )
        raise Invalid(message, [{"field": "variables", "rule": "too_long", "message": message}])
    return _PLACEHOLDER.sub(lambda found: values[found[1]], content)


def _check(rule: str, names: Sequence[str]) -> None:
    if names:
        problems = [
            {"field": f"variables.{name}"[:200], "rule": "variable", "message": rule} for name in names
        ]
        raise Invalid(
            Phrase("variables: {names}: {rule}", names=", ".join(names[:5])[:300], rule=Phrase(rule)),
            problems[:100],
        )
