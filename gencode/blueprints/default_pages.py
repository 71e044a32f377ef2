"""The pages of an application whose blueprint has none: for each data model a list, a form and a detail page.

with_default_pages(blueprint).pages      # the blueprint's own, if it has some
"""

from __future__ import annotations

from collections.abc import Mapping

from gencode.blueprints.identifiers import kebab, pascal
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.language import language_of
from gencode.blueprints.model import Blueprint, Component, DataBinding, Entity, Page
from gencode.blueprints.types import Action, FieldType

_MOST_COLUMNS = 8
_NOT_LISTED = frozenset({FieldType.TEXT, FieldType.JSON, FieldType.BINARY})
_WORDS = {
    "en": {"new": "New: {label}", "detail": "Details", "form": "Edit"},
    "zh": {"new": "新建{label}", "detail": "详情", "form": "编辑"},
}


def with_default_pages(blueprint: Blueprint) -> Blueprint:
    """Of each data model: `/orders`, `/orders/new`, and `/orders/:id`, which also changes the record."""
    if blueprint.pages:
        return blueprint
    index, words = BlueprintIndex(blueprint), _WORDS[language_of(blueprint)]
    pages = [page for entity in blueprint.data_models for page in _pages(index, entity, words)]
    return blueprint.model_copy(update={"pages": pages})


def _pages(index: BlueprintIndex, entity: Entity, words: Mapping[str, str]) -> list[Page]:
    name, label = pascal(entity.name), entity.shown_name
    path = f"/{kebab(index.table(entity.id))}"
    new = words["new"].format(label=label)[:200]
    return [
        _page(f"{name}List", label, path, [*_search(entity), _table(entity)]),
        _page(f"{name}New", new, f"{path}/new", [_part("form", entity, Action.CREATE)]),
        _page(f"{name}Detail", label, f"{path}/:id", [_tabs(entity, words)]),
    ]


def _page(name: str, label: str, path: str, components: list[Component]) -> Page:
    return Page(id=name, name=name, label=label, path=path, components=components)


def _part(type_: str, entity: Entity, action: Action, fields: list[str] | None = None) -> Component:
    return Component(
        id=type_,
        name=type_,
        label=entity.shown_name,
        type=type_,
        data_binding=DataBinding(entity=entity.id, action=action, fields=fields or []),
        props={"deletable": True} if type_ in {"table", "detail"} else {},
    )


def _search(entity: Entity) -> list[Component]:
    """Lists search the title of a record, which is a string."""
    has_title = any(field.type is FieldType.STRING for field in entity.fields)
    return [_part("search", entity, Action.LIST)] if has_title else []


def _table(entity: Entity) -> Component:
    fields = [field.id for field in entity.fields if field.type not in _NOT_LISTED]
    return _part("table", entity, Action.LIST, fields[:_MOST_COLUMNS])


def _tabs(entity: Entity, words: Mapping[str, str]) -> Component:
    parts = (_part("detail", entity, Action.GET), _part("form", entity, Action.UPDATE))
    tabs = [
        Component(id=f"{one.id}_tab", name=f"{one.id}_tab", label=words[one.type], type="tab", children=[one])
        for one in parts
    ]
    return Component(id="tabs", name="tabs", type="tabs", children=tabs)
