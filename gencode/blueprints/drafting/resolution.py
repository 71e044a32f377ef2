"""The last step of an assembly: words become ids, and every element gets a valid form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from gencode.blueprints.drafting.element_forms import Form, relation_type
from gencode.blueprints.drafting.matching import Names, free_id
from gencode.blueprints.drafting.texts import identifier
from gencode.blueprints.identifiers import camel, kebab, plural, snake
from gencode.blueprints.model import (
    Api,
    Blueprint,
    BusinessFlow,
    Component,
    Entity,
    EntityField,
    Page,
    Relation,
    UniqueConstraint,
)
from gencode.blueprints.types import RelationType

_REFERENCE = re.compile(r"(.+?)(?:_id|Id|ID)\Z")
_KEY_TYPES = frozenset({"integer", "bigint", "uuid", "string"})
_TO_MANY = (RelationType.ONE_TO_MANY.value, RelationType.MANY_TO_MANY.value)


def resolved_blueprint(document: Form, new: str) -> Blueprint:
    """`new`: the key that marks elements that were not in the base."""
    entities: list[Form] = document["dataModels"]
    names = Names(entities)
    for entity in entities:
        _relations(entity, names, entities)
        _references(entity, names, new)
        _constraints(entity)
    targets = {"page": Names(document["pages"]), "api": Names(document["apis"])}
    targets["flow"] = Names(document["businessFlows"])
    members = {entity["id"]: _members(entity, entities) for entity in entities}
    for page in document["pages"]:
        page.setdefault("path", f"/{kebab(str(page['name'])) or 'page'}")
        _components(page, names, members, targets)
    for one in (*document["apis"], *document["businessFlows"]):
        _purpose(one, names, targets["flow"])
    return _valid_blueprint(_clean(document))


def _relations(entity: Form, names: Names, entities: list[Form]) -> None:
    """Types, targets and names, as far as they are not said."""
    kept: list[Form] = []
    by_id = {one["id"]: one for one in entities}
    for relation in entity.get("relations", []):
        if "target" not in relation:
            continue
        target = names.resolved(relation["target"])
        type_ = relation_type(relation.get("type")) or relation.get("type") or RelationType.MANY_TO_ONE
        relation |= {"target": target, "type": str(type_)}
        if "name" not in relation:
            word = camel(str(by_id[target]["name"] if target in by_id else identifier(target)))
            relation["name"] = camel(plural(snake(word))) if type_ in _TO_MANY else word
        taken = (str(one.get("id")) for one in (*entity.get("fields", []), *entity["relations"]))
        relation.setdefault("id", free_id(str(relation["name"]), taken))
        kept.append(relation)
    entity["relations"] = kept


def _references(entity: Form, names: Names, new: str) -> None:
    """A new field `customer_id` beside the relation `customer`, or for an entity Customer, is its column."""
    relations: list[Form] = entity["relations"]
    kept: list[Form] = []
    for field in entity.get("fields", []):
        found = _REFERENCE.match(str(field.get("name", ""))) if new in field else None
        if found is None or field.get("type", "string") not in _KEY_TYPES:
            kept.append(field)
            continue
        held = [one for one in relations if one["type"] not in _TO_MANY]
        target = names.find(found[1])
        if any(snake(str(one["name"])) == snake(found[1]) or one["target"] == target for one in held):
            continue
        if target is None:
            kept.append(field)
            continue
        taken = [str(one.get("id")) for one in (*entity["fields"], *relations)]
        relation = {"id": free_id(found[1], taken), "name": found[1], "type": "ManyToOne", "target": target}
        relations.append(relation | {"required": bool(field.get("required"))})
    entity["fields"] = kept


def _constraints(entity: Form) -> None:
    known = Names([*entity["fields"], *entity["relations"]])
    for constraint in entity.get("uniqueConstraints", []):
        constraint["fields"] = list(dict.fromkeys(_member(known, word) for word in constraint["fields"]))


def _member(known: Names, word: Any) -> str:
    """A field, or a relation by its name or its column."""
    found = _REFERENCE.match(str(word))
    return known.find(word) or (found and known.find(found[1])) or known.resolved(word)


def _members(entity: Form, entities: list[Form]) -> Names:
    """What a binding may name: fields, relations, and the ends that other entities declare."""
    inverse = [
        {"id": one["inverseName"], "name": one["inverseName"], "label": one.get("inverseLabel", "")}
        for other in entities
        for one in other["relations"]
        if one["target"] == entity["id"] and one.get("inverseName")
    ]
    return Names([{"id": "id", "name": "id"}, *entity["fields"], *entity["relations"], *inverse])


def _components(page: Form, names: Names, members: dict[str, Names], targets: dict[str, Names]) -> None:
    taken: set[str] = set()
    for component in _flat(page.get("components", [])):
        component["id"] = free_id(str(component.get("id") or component.get("name")), taken)
        taken.add(component["id"])
        if binding := component.get("dataBinding"):
            binding["entity"] = names.resolved(binding["entity"])
            known = members.get(binding["entity"])
            if known:
                words = (_member(known, word) for word in binding.get("fields", []))
                binding["fields"] = list(dict.fromkeys(words))
        for event in component.get("events", []):
            for name, known in targets.items():
                if event.get(name):
                    event[name] = known.resolved(event[name])


def _flat(components: list[Form]) -> Iterator[Form]:
    for one in components:
        yield one
        yield from _flat(one.get("children") or [])


def _purpose(element: Form, entities: Names, flows: Names) -> None:
    """Of an api or a business flow."""
    if element.get("entity"):
        element["entity"] = entities.resolved(element["entity"])
    if element.get("flow"):
        element["flow"] = flows.resolved(element["flow"])
        element.setdefault("method", "POST")


def _clean(value: Any) -> Any:
    """Without marks."""
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items() if not key.startswith("\x00")}
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _valid_blueprint(document: Form) -> Blueprint:
    """Whatever has no valid form is left out, the smallest element at a time."""
    for entity in document["dataModels"]:
        fields = [{"type": "string", **one} for one in entity["fields"]]
        entity["fields"] = _valid_list(EntityField, fields, "id", "name", "label", "type")
        entity["relations"] = _valid_list(Relation, entity["relations"], "id", "name", "type", "target")
        entity["uniqueConstraints"] = _valid_list(UniqueConstraint, entity.get("uniqueConstraints", []))
    for page in document["pages"]:
        components = page.get("components", [])
        page["components"] = _valid_list(Component, components, "id", "name", "type", "dataBinding")
    for one in document["apis"]:
        one.setdefault("path", f"/{kebab(str(one['name'])) or 'call'}")
    return Blueprint.model_validate({**document, **_valid_lists(document)})


def _valid_lists(document: Form) -> Form:
    least = ("id", "name", "label", "path", "method")
    return {
        "dataModels": _valid_list(Entity, document["dataModels"], *least),
        "pages": _valid_list(Page, document["pages"], *least),
        "apis": _valid_list(Api, document["apis"], *least),
        "businessFlows": _valid_list(BusinessFlow, document["businessFlows"], *least),
    }


def _valid_list(model: type[BaseModel], listed: list[Form], *least: str) -> list[Form]:
    return [made for one in listed if (made := _valid(model, one, *least))]


def _valid(model: type[BaseModel], values: Form, *least: str) -> Form | None:
    """The values if they have the form; else those that are named, if these have."""
    for tried in (values, {name: values[name] for name in least if name in values}):
        try:
            return model.model_validate(tried).model_dump(mode="json", by_alias=True)
        except ValidationError:
            continue
    return None
