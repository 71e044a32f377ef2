"""What the model is shown of an outline and of a blueprint, in few words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from gencode.blueprints import Blueprint, Element, Entity
from gencode.blueprints.drafting import Entry

MAX_SUMMARY = 40_000
"""Characters."""


def outline_lines(entries: Sequence[Entry]) -> str:
    return _bounded(_outline_line(entry) for entry in entries)


def _outline_line(entry: Entry) -> str:
    label = f"({entry.label})" if entry.label else ""
    return " ".join(filter(None, [entry.kind.value, entry.name, label, _about(entry)]))


def _about(entry: Entry) -> str:
    words = (entry.values.get("path"), entry.values.get("description"))
    return " - ".join(str(word) for word in words if word)[:300]


def asked_lines(entries: Sequence[Entry]) -> str:
    """The elements to write, as JSON."""
    return "\n".join(_json({"kind": entry.kind.value, **_asked(entry)}) for entry in entries)


def _asked(entry: Entry) -> dict[str, Any]:
    shown = ("id", "name", "label", "path", "description", "entity")
    return {name: entry.values[name] for name in shown if name in entry.values}


def entity_lines(blueprint: Blueprint) -> str:
    """Entities with the names and types of their fields, and their relations."""
    names = {entity.id: entity.name for entity in blueprint.data_models}
    return _bounded(_entity_line(entity, names) for entity in blueprint.data_models)


def _entity_line(entity: Entity, names: dict[str, str]) -> str:
    fields = ", ".join(f"{field.name} {field.type.value}" for field in entity.fields)
    relations = ", ".join(
        f"{one.name} {one.type.value} {names.get(one.target, one.target)}" for one in entity.relations
    )
    label = f" ({entity.label})" if entity.label else ""
    return f"{entity.name}{label}: {'; '.join(filter(None, [fields, relations]))}"


def blueprint_lines(blueprint: Blueprint) -> str:
    """All that there is, with ids, for a model that changes it."""
    lists: dict[str, Sequence[Element]] = {
        "page": blueprint.pages,
        "api": blueprint.apis,
        "flow": blueprint.business_flows,
    }
    entities = (
        _json({"kind": "entity", "id": one.id, "name": one.name, "label": one.label, "fields": _members(one)})
        for one in blueprint.data_models
    )
    others = (
        _json({"kind": kind, "id": one.id, "name": one.name, "label": one.label})
        for kind, elements in lists.items()
        for one in elements
    )
    return _bounded((*entities, *others))


def _members(entity: Entity) -> dict[str, str]:
    fields = {field.id: f"{field.name} {field.type.value} {field.label}".strip() for field in entity.fields}
    return fields | {one.id: f"{one.name} {one.type.value} {one.target}" for one in entity.relations}


def element_line(kind: str, element: BaseModel) -> str:
    return _json({"kind": kind, **element.model_dump(mode="json", by_alias=True, exclude_defaults=True)})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bounded(lines: Iterable[str]) -> str:
    kept: list[str] = []
    room = MAX_SUMMARY
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            kept.append("(more is left out here)")
            break
        kept.append(line)
    return "\n".join(kept)
