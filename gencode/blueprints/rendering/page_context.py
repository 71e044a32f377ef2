"""Pages as templates see them: their components with bindings and events resolved to names.

Of a component, beside what the blueprint says:
    type      a known one; an unknown type is a container
    text      what it shows
    entity    the module of the entity that it shows or changes, or ""
    columns   names of columns, as the api has them
    inverses  names of lists of records that refer to a record
    mode      of a form: `create` or `update`
    param     the parameter of the page's path that is the record's id, or ""
    events    each with `on`, and the name of a `page`, or of a `call` of the back end
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gencode.blueprints.components import COMPONENT_TYPES
from gencode.blueprints.identifiers import camel, pascal, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Component, ComponentEvent, DataBinding, Page
from gencode.blueprints.types import Action, RelationType

Context = dict[str, Any]
_PARAMETER = re.compile(r":([A-Za-z0-9_]+)")
_IS_CHANGE = {Action.CREATE: "create", Action.UPDATE: "update"}


def page_contexts(
    index: BlueprintIndex, entities: Mapping[str, Context], calls: Sequence[Context]
) -> list[Context]:
    """`entities`: contexts by id. `calls`: with the ids of their `api` and `flow_id`."""
    return [_page(index, entities, calls, page) for page in index.blueprint.pages]


def parts_of(components: Sequence[Context]) -> Iterator[Context]:
    """All components of a page, each before its children."""
    for component in components:
        yield component
        yield from parts_of(component["children"])


def _page(
    index: BlueprintIndex, entities: Mapping[str, Context], calls: Sequence[Context], page: Page
) -> Context:
    parameters = _PARAMETER.findall(page.path)

    def resolved(component: Component) -> Context:
        children = [resolved(child) for child in component.children]
        return {**_component(index, entities, calls, parameters, component), "children": children}

    return {
        "id": page.id,
        "name": pascal(page.name),
        "label": page.shown_name,
        "path": page.path,
        "parameters": parameters,
        "layout": page.layout,
        "components": [resolved(component) for component in page.components],
    }


def _component(
    index: BlueprintIndex,
    entities: Mapping[str, Context],
    calls: Sequence[Context],
    parameters: Sequence[str],
    component: Component,
) -> Context:
    value = component.model_dump(mode="json", by_alias=False, exclude={"children"})
    binding = component.data_binding
    entity = entities.get(binding.entity) if binding else None
    return {
        **value,
        "type": component.type if component.type in COMPONENT_TYPES else "container",
        "text": _text(component),
        "entity": entity["module"] if entity else "",
        "param": _param(entity, parameters) if entity else "",
        "mode": (_IS_CHANGE.get(binding.action) or ("update" if parameters else "create")) if binding else "",
        **(_bound(index, entity, binding) if entity and binding else {"columns": [], "inverses": []}),
        "events": [_event(index, calls, event) for event in component.events],
    }


def _text(component: Component) -> str:
    texts = (component.props.get(name) for name in ("text", "title", "content"))
    return next((text for text in texts if isinstance(text, str) and text), component.shown_name)


def _param(entity: Context, parameters: Sequence[str]) -> str:
    names = (f"{camel(entity['module'])}Id", f"{entity['module']}_id", "id")
    return next((name for name in names if name in parameters), parameters[-1] if parameters else "")


def _bound(index: BlueprintIndex, entity: Context, binding: DataBinding) -> Context:
    """The named fields, or all."""
    every = [*(field["name"] for field in entity["fields"]), *_reference_columns(entity)]
    inverses = [inverse["name"] for inverse in entity["inverses"]]
    if not binding.fields:
        return {"columns": every, "inverses": inverses, "is_whole": True}
    ends = ends_of(index, binding.entity)
    names = [ends[field] for field in binding.fields if field in ends]
    columns = [name for name in dict.fromkeys(names) if name not in inverses]
    chosen = [name for name in dict.fromkeys(names) if name in inverses]
    return {"columns": columns or every, "inverses": chosen, "is_whole": False}


def _reference_columns(entity: Context) -> list[str]:
    return [
        *(reference["column"] for reference in entity["references"]),
        *(collection["ids"] for collection in entity["collections"]),
    ]


def ends_of(index: BlueprintIndex, entity_id: str) -> dict[str, str]:
    """What a binding may name (ids, and names of the ends that others declare), each with its column.

    Of the other end of a reference, the name of its list.
    """
    entity = index.entities[entity_id]
    ends = {field.id: snake(field.name) for field in entity.fields}
    declared = {id(relation): relation.id for relation in entity.relations}

    def add(name: str, end: str, relations: Sequence[object]) -> None:
        for key in (*(declared.get(id(one), "") for one in relations), name):
            if key:
                ends.setdefault(key, end)

    for link in index.links_from.get(entity_id, []):
        is_set = link.type is RelationType.MANY_TO_MANY
        at_source = [link.relation if link.is_declared_at_source else link.other]
        add(link.name, f"{index.attribute(link)}_ids" if is_set else index.column(link), at_source)
    for link in index.links_to.get(entity_id, []):
        if link.inverse_name:
            is_set = link.type is RelationType.MANY_TO_MANY
            name = index.inverse_attribute(link)
            at_target = [link.other if link.is_declared_at_source else link.relation]
            add(link.inverse_name, f"{name}_ids" if is_set else name, at_target)
    ends.setdefault("id", "id")
    return ends


def _event(index: BlueprintIndex, calls: Sequence[Context], event: ComponentEvent) -> Context:
    page = index.pages.get(event.page or "")
    wanted = ("api_id", event.api) if event.api else ("flow_id", event.flow)
    call = next((one for one in calls if wanted[1] and one[wanted[0]] == wanted[1]), None)
    return {
        "on": event.on,
        "page": pascal(page.name) if page else "",
        "call": call["name"] if call else "",
        "label": page.shown_name if page else (call["label"] if call else ""),
    }
