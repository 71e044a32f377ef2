"""Compares two blueprints, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gencode.blueprints.model import Blueprint

ELEMENT_LISTS = frozenset(
    {
        "dataModels",
        "fields",
        "relations",
        "uniqueConstraints",
        "pages",
        "components",
        "children",
        "apis",
        "businessFlows",
    }
)
"""Properties that are lists of elements with ids."""


class ChangeType(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """The elements that both have are in another order."""


class PropertyChange(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    before: JsonValue
    after: JsonValue


class Operation(BaseModel):
    """A difference.

    element  such as `dataModels/Order/fields/total`; "" is the blueprint itself; of `moved`, the list
    name     what people call it: after the change, where it still is
    changes  of `changed`: the properties that differ
    value    of `added` and `removed`: the element
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    type: ChangeType
    element: str
    name: str = ""
    changes: dict[str, PropertyChange] = Field(default_factory=dict)
    value: dict[str, JsonValue] | None = None

    @property
    def is_rename(self) -> bool:
        return "name" in self.changes


def compare(old: Blueprint, new: Blueprint) -> list[Operation]:
    """In the order of the new blueprint; what was removed comes first in its list."""
    return list(_compared("", document(old), document(new)))


def document(blueprint: Blueprint) -> dict[str, Any]:
    return blueprint.model_dump(mode="json", by_alias=True)


def is_element_list(name: str, *values: Any) -> bool:
    """`fields` of a binding and of a constraint are lists of ids, not of elements."""
    return name in ELEMENT_LISTS and all(
        isinstance(value, list) and all(isinstance(one, dict) for one in value) for value in values
    )


def _compared(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Operation]:
    lists = [name for name in new if is_element_list(name, old.get(name), new[name])]
    changes = {
        name: PropertyChange(before=old.get(name), after=value)
        for name, value in new.items()
        if name not in lists and name != "id" and old.get(name) != value
    }
    if changes:
        yield Operation(type=ChangeType.CHANGED, element=path, name=_name(new), changes=changes)
    for name in lists:
        yield from _compared_lists(f"{path}/{name}".lstrip("/"), old[name], new[name])


def _compared_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Operation]:
    before = {one["id"]: one for one in old}
    after = {one["id"]: one for one in new}
    for identity, element in before.items():
        if identity not in after:
            yield _whole(ChangeType.REMOVED, f"{path}/{identity}", element)
    if [one for one in before if one in after] != [one for one in after if one in before]:
        yield Operation(type=ChangeType.MOVED, element=path)
    for identity, element in after.items():
        if identity not in before:
            yield _whole(ChangeType.ADDED, f"{path}/{identity}", element)
        elif before[identity] != element:
            yield from _compared(f"{path}/{identity}", before[identity], element)


def _whole(type_: ChangeType, path: str, element: Mapping[str, Any]) -> Operation:
    return Operation(type=type_, element=path, name=_name(element), value=dict(element))


def _name(element: Mapping[str, Any]) -> str:
    return str(element.get("label") or element.get("name") or element.get("id") or "")
