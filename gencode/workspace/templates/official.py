"""The template sets of the distribution, shown as those of users are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from gencode.blueprints.template_sets import SetContent, official_content, official_sets
from gencode.workspace.templates.models import TemplateItem, TemplateView
from gencode.workspace.templates.table import ProofStatus

_FRAMEWORKS = {"fastapi": ("backend", "fastapi"), "vue": ("frontend", "vue")}
"""Category and framework, by name; others are for every stack."""


def official_id(content: SetContent) -> str:
    """The same in every process; another one for another version."""
    return str(uuid5(NAMESPACE_URL, f"gencode:template:{content.manifest.name}:{content.manifest.version}"))


@lru_cache(maxsize=1)
def _by_id() -> dict[str, SetContent]:
    contents = map(official_content, official_sets())
    return {official_id(content): content for content in contents}


def official(template_id: str) -> SetContent | None:
    return _by_id().get(template_id)


def official_items(filters: dict[str, str], text: str) -> Iterator[TemplateItem]:
    """Those that a list with these restrictions shows."""
    for content in _by_id().values():
        values = _values(content)
        matches = all(str(values.get(name)) == value for name, value in filters.items())
        if matches and text.lower() in values["name"].lower():
            yield TemplateItem(**values)


def official_view(content: SetContent) -> TemplateView:
    return TemplateView(**_values(content), manifest=content.document["manifest"], findings=[])


def _values(content: SetContent) -> dict[str, Any]:
    name = content.manifest.name
    category, framework = _FRAMEWORKS.get(name, ("common", ""))
    return {
        "id": official_id(content),
        "owner": None,
        "project_id": None,
        "is_official": True,
        "name": name,
        "code": name,
        "version_tag": content.manifest.version,
        "framework": framework,
        "category": category,
        "description": "",
        "tags": [],
        "status": ProofStatus.PROVEN,
        "is_public": True,
        "sha256": content.sha256,
        "files": len(content.sources),
        "bytes": content.bytes,
        "previous_id": None,
        "created_at": None,
        "updated_at": None,
    }
