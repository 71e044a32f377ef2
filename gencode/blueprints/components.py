"""The types of components that a page may have, and what each needs."""

from __future__ import annotations

from types import MappingProxyType

BOUND_TYPES = frozenset({"table", "form", "detail", "cards", "chart", "tree"})
"""Components that show or change records: they need a `dataBinding`."""

PLAIN_TYPES = frozenset(
    {"container", "tabs", "tab", "heading", "text", "button", "search", "divider", "statistic", "image"}
)

COMPONENT_TYPES = BOUND_TYPES | PLAIN_TYPES

ALIASES = MappingProxyType(
    {
        "list": "table",
        "datatable": "table",
        "grid": "table",
        "el-table": "table",
        "el-form": "form",
        "editform": "form",
        "descriptions": "detail",
        "details": "detail",
        "card": "container",
        "div": "container",
        "row": "container",
        "col": "container",
        "layout": "container",
        "panel": "container",
        "title": "heading",
        "header": "heading",
        "label": "text",
        "paragraph": "text",
        "el-button": "button",
        "link": "button",
        "searchbar": "search",
        "filter": "search",
        "barchart": "chart",
        "linechart": "chart",
        "piechart": "chart",
        "stat": "statistic",
        "metric": "statistic",
        "kpi": "statistic",
    }
)
"""What models call these components, in lower case without spaces, - and _ (but for `el-`)."""
