"""The types of components that a page may have, and what each needs."""

from __future__ import annotations

BOUND_TYPES = frozenset({"table", "form", "detail", "cards", "chart", "tree"})
"""Components that show or change records: they need a `dataBinding`."""

PLAIN_TYPES = frozenset(
    {"container", "tabs", "tab", "heading", "text", "button", "search", "divider", "statistic", "image"}
)

COMPONENT_TYPES = BOUND_TYPES | PLAIN_TYPES
