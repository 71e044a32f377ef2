"""How entities and pages are written in TypeScript and Vue: types, descriptions of columns, imports of pages.

Adds `ts` to each entity and page of the context of a project, and `home` to the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.identifiers import camel
from gencode.blueprints.rendering.literals import typescript as literal
from gencode.blueprints.rendering.page_context import parts_of
from gencode.blueprints.rendering.python_facts import MAX_BINARY, MAX_TEXT
from gencode.blueprints.rendering.vue_parts import add_vue_parts

Context = dict[str, Any]
_TYPES = MappingProxyType(
    {
        "integer": "number",
        "bigint": "number",
        "float": "number",
        "boolean": "boolean",
        "json": "unknown",
    }
)
"""Decimals, dates and binaries travel as texts."""
_LISTS = frozenset({"table", "cards", "tree"})


def add_typescript_facts(context: Context) -> None:
    for entity in context["entities"]:
        columns = [*map(_field, entity["fields"]), *_references(entity)]
        entity["ts"] = {"columns": columns, "variable": f"{camel(entity['module'])}Entity"}
    entities = {entity["module"]: entity for entity in context["entities"]}
    _add_pages_of_entities(context["pages"], entities)
    for page in context["pages"]:
        page["ts"] = {"is_in_menu": _is_in_menu(page, entities), "menu": ""}
    for page in context["pages"]:
        page["ts"]["menu"] = _menu(page, context["pages"], entities)
        add_vue_parts(page, entities)
    context["project"]["home"] = _home(context["pages"])


def _field(field: Mapping[str, Any]) -> Context:
    optional = not field["required"] or field["default"] is not None
    type_ = " | ".join(map(literal, field["values"])) if field["values"] else ""
    type_ = type_ or _TYPES.get(field["type"], "string")
    return {
        "name": field["name"],
        "type": type_ if field["required"] else f"{type_} | null",
        "is_optional": optional,
        "description": _description(field),
    }


def _description(field: Mapping[str, Any]) -> Context:
    lengths = {"text": MAX_TEXT, "binary": field["length"] or MAX_BINARY}
    default = field["default"]
    facts = {
        "description": field["description"] or None,
        "default": str(default) if field["type"] == "decimal" and default is not None else default,
        "length": lengths.get(field["type"], field["length"]),
        "minLength": field["min_length"],
        "minimum": field["minimum"],
        "maximum": field["maximum"],
        "precision": field["precision"],
        "scale": field["scale"],
        "options": _options(field) or None,
    }
    return {
        "name": field["name"],
        "label": field["label"],
        "kind": field["type"],
        "required": field["required"],
        **{name: value for name, value in facts.items() if value is not None},
    }


def _options(field: Mapping[str, Any]) -> list[Context]:
    return [
        {"value": value, "label": label}
        for value, label in zip(field["values"], field["labels"], strict=True)
    ]


def _references(entity: Context) -> Iterable[Context]:
    for reference in entity["references"]:
        yield {
            "name": reference["column"],
            "type": "number" if reference["required"] else "number | null",
            "is_optional": not reference["required"],
            "description": {
                "name": reference["column"],
                "label": reference["label"],
                "kind": "reference",
                "required": reference["required"],
                "target": reference["target_module"],
            },
        }
    for collection in entity["collections"]:
        yield {
            "name": collection["ids"],
            "type": "number[]",
            "is_optional": True,
            "description": {
                "name": collection["ids"],
                "label": collection["label"],
                "kind": "collection",
                "required": False,
                "target": collection["target_module"],
            },
        }


def _add_pages_of_entities(pages: Iterable[Context], entities: Mapping[str, Context]) -> None:
    """The first page of each purpose: where the records of an entity are listed, shown, made, changed."""
    for entity in entities.values():
        entity["ts"]["pages"] = {"list": None, "detail": None, "create": None, "update": None}
    for page in pages:
        for part in parts_of(page["components"]):
            purpose = _purpose(part, has_parameter=bool(page["parameters"]))
            if part["entity"] and purpose and entities[part["entity"]]["ts"]["pages"][purpose] is None:
                entities[part["entity"]]["ts"]["pages"][purpose] = page["name"]


def _purpose(part: Context, *, has_parameter: bool) -> str:
    if part["type"] in _LISTS and not has_parameter:
        return "list"
    if part["type"] == "form" and (part["mode"] == "create" or has_parameter):
        return str(part["mode"])
    return "detail" if part["type"] == "detail" and has_parameter else ""


def _is_in_menu(page: Context, entities: Mapping[str, Context]) -> bool:
    """Not: pages of one record, and forms for a new one that a list leads to."""
    parts = [part for part in parts_of(page["components"]) if part["entity"]]
    is_form = bool(parts) and all(part["type"] == "form" and part["mode"] == "create" for part in parts)
    has_list = all(entities[part["entity"]]["ts"]["pages"]["list"] for part in parts)
    return not page["parameters"] and not (is_form and has_list)


def _menu(page: Context, pages: Iterable[Context], entities: Mapping[str, Context]) -> str:
    """The path of the entry of the menu that is marked on this page."""
    if page["ts"]["is_in_menu"]:
        return str(page["path"])
    part = next((part for part in parts_of(page["components"]) if part["entity"]), None)
    name = entities[part["entity"]]["ts"]["pages"]["list"] if part else None
    return next((str(one["path"]) for one in pages if one["name"] == name), "")


def _home(pages: Iterable[Context]) -> str:
    """Where `/` leads, if no page is there: to the first page of the menu."""
    if any(page["path"] == "/" for page in pages):
        return ""
    return next((str(page["path"]) for page in pages if page["ts"]["is_in_menu"]), "")
