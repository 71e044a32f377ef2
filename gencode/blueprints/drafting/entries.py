"""The entries of an answer: each says something about one element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gencode.blueprints.drafting.element_forms import (
    Form,
    common,
    constraint_form,
    entries_of,
    field_form,
    relation_form,
    step_form,
)
from gencode.blueprints.drafting.page_forms import api_form, page_form
from gencode.blueprints.drafting.texts import first_text, text_of
from gencode.blueprints.drafting.words import kind_named, with_property_names

MAX_ENTRIES = 1000
"""Of one value."""
_LISTS = {"dataModels": "entity", "pages": "page", "apis": "api", "businessFlows": "flow"}
_PROJECT_TYPES = ("admin", "dashboard", "ecommerce")


class EntryKind(StrEnum):
    APPLICATION = "application"
    ENTITY = "entity"
    FIELD = "field"
    RELATION = "relation"
    PAGE = "page"
    API = "api"
    FLOW = "flow"
    REMOVE = "remove"
    RENAME = "rename"


class Entry(BaseModel):
    """values  properties by their JSON names, as far as they are said; references are the model's words
    parent  of a field or a relation: what the model calls its entity
    element of `remove` and `rename`: such as `dataModels/Order/fields/total`
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    kind: EntryKind
    values: dict[str, JsonValue] = Field(default_factory=dict)
    parent: str = ""
    element: str = ""

    @property
    def name(self) -> str:
        return str(self.values.get("name") or self.values.get("id") or "")

    @property
    def label(self) -> str:
        return str(self.values.get("label") or "")


def said_entries(value: Any) -> list[Entry]:
    """The entries of a JSON value: an element, a list of elements, or a whole blueprint."""
    entries: list[Entry] = []
    for entry in _entries(value):
        entries.append(entry)
        if len(entries) == MAX_ENTRIES:
            break
    return entries


def _entries(value: Any, kind: str = "", depth: int = 0) -> Iterator[Entry]:
    if isinstance(value, list) and depth < _MAX_WRAPPERS:
        for one in value:
            yield from _entries(one, kind, depth + 1)
    elif isinstance(value, Mapping):
        yield from _of_object(with_property_names(dict(value)), kind, depth)


_MAX_WRAPPERS = 6


def _of_object(raw: dict[str, Any], kind: str, depth: int) -> Iterator[Entry]:
    kind = kind or _kind(raw)
    if kind:
        if entry := _entry(EntryKind(kind), raw):
            yield entry
        if kind != EntryKind.APPLICATION:
            return
    lists = [name for name in _LISTS if isinstance(raw.get(name), list | Mapping)]
    if lists and kind != EntryKind.APPLICATION and (raw.get("projectName") or raw.get("projectType")):
        yield from filter(None, [_entry(EntryKind.APPLICATION, raw)])
    for name in lists:
        yield from _entries(_as_list(raw[name]), _LISTS[name], depth + 1)
    if not lists and depth < _MAX_WRAPPERS and not kind:  # {"blueprint": {...}}
        for one in raw.values():
            if isinstance(one, Mapping | list):
                yield from _entries(one, "", depth + 1)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [{"name": name, **one} for name, one in value.items() if isinstance(one, Mapping)]
    return list(value)


def _kind(raw: Mapping[str, Any]) -> str:
    if said := kind_named(raw.get("kind")) or _kind_in_type(raw):
        return said
    if any(isinstance(raw.get(name), list | Mapping) for name in _LISTS):
        return ""
    if "name" not in raw and "label" not in raw and "id" not in raw:
        return ""
    if isinstance(raw.get("steps"), list):
        return EntryKind.FLOW
    if "method" in raw:
        return EntryKind.API
    if "components" in raw or "path" in raw:
        return EntryKind.PAGE
    return EntryKind.ENTITY if "fields" in raw or "relations" in raw else ""


def _kind_in_type(raw: Mapping[str, Any]) -> str:
    """{"type": "entity", ...}: not for what has a target, whose type is that of a relation."""
    return "" if "target" in raw or "kind" in raw else kind_named(raw.get("type"))


def _entry(kind: EntryKind, raw: dict[str, Any]) -> Entry | None:
    if kind in (EntryKind.REMOVE, EntryKind.RENAME):
        return _operation(kind, raw)
    if kind in (EntryKind.FIELD, EntryKind.RELATION):
        values = (field_form if kind is EntryKind.FIELD else relation_form)(_without(raw, "kind", "entity"))
        parent = first_text(raw, "entity")
        return Entry(kind=kind, values=values, parent=parent) if values and parent else None
    values = _FORMS[kind](raw)
    if kind is not EntryKind.APPLICATION and "name" not in values and "id" not in values:
        return None
    return Entry(kind=kind, values=values)


def _without(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name not in names}


def _operation(kind: EntryKind, raw: Mapping[str, Any]) -> Entry | None:
    element = text_of(raw.get("element"), 1000)
    if element and "/" not in element and raw.get("id"):  # {"element": "entity", "id": "Order"}
        lists = {said: name for name, said in _LISTS.items()}
        element = f"{lists.get(kind_named(element), '')}/{text_of(raw['id'])}"
    values = {name: text for name in ("name", "label") if (text := first_text(raw, name))}
    if "/" not in element or (kind is EntryKind.RENAME and not values):
        return None
    return Entry(kind=kind, values=dict(values), element=element)


def _application(raw: Mapping[str, Any]) -> Form:
    form = common({**raw, "name": raw.get("projectName") or raw.get("name"), "id": None})
    if "name" in form:
        form["projectName"] = form.pop("name")
    type_ = text_of(raw.get("projectType"), 20).casefold()
    return form | ({"projectType": type_} if type_ in _PROJECT_TYPES else {})


def _entity(raw: Mapping[str, Any]) -> Form:
    form = common(raw, is_class=True)
    fields = entries_of(raw.get("fields"), field_form)
    relations = entries_of(raw.get("relations"), relation_form)
    relations += [_reference(one) for one in fields if "target" in one]
    form["fields"] = [one for one in fields if "target" not in one]
    form["relations"] = relations
    form["uniqueConstraints"] = entries_of(raw.get("uniqueConstraints"), constraint_form, 50)
    removed = raw.get("removeFields")
    if isinstance(removed, list):
        form["removeFields"] = [text for one in removed if (text := text_of(one))][:500]
    return {name: value for name, value in form.items() if value}


_OF_A_REFERENCE = ("id", "name", "label", "description", "required", "target")


def _reference(field: Form) -> Form:
    """A field that is said to be of the type of an entity."""
    kept: Form = {name: field[name] for name in _OF_A_REFERENCE if name in field}
    name = str(kept.get("name", ""))
    for ending in ("_id", "Id", "ID"):
        if name.endswith(ending) and len(name) > len(ending):
            kept["name"] = name.removesuffix(ending)
            break
    return {**kept, "type": "ManyToOne"}


def _flow(raw: Mapping[str, Any]) -> Form:
    form = common(raw)
    if entity := text_of(raw.get("entity")):
        form["entity"] = entity
    if steps := entries_of(raw.get("steps"), step_form, 100):
        form["steps"] = steps
    return form


_FORMS = {
    EntryKind.APPLICATION: _application,
    EntryKind.ENTITY: _entity,
    EntryKind.PAGE: page_form,
    EntryKind.API: api_form,
    EntryKind.FLOW: _flow,
}
