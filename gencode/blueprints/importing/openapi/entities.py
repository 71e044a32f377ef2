"""Schemas of objects become entities; references between them, relations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gencode.blueprints.identifiers import pascal, singular, snake
from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.openapi.fields import field_document, is_array, is_object
from gencode.blueprints.importing.openapi.loading import Document, Schema, text_of
from gencode.blueprints.importing.relational.names import element_id, field_name, is_readable, label_of
from gencode.blueprints.model import MAX_ENTITIES, MAX_FIELDS

_VARIANT = re.compile(
    r"(?:New|Create|Update|Patch|Add|Edit)(?=[A-Z_])|_?(?:Create|Update|Patch|Input|Output|Request|Response|List|Page"
    r"|Collection|Body|Dto|DTO|Params|Summary|Created|Updated|In|Out|Form|Data|Payload)\Z"
)
_REFERENCE = re.compile(r"(?<=[a-z0-9])_?(?:Id|ID|_id)\Z")


class Entities:
    """`names`: of the schemas that became entities."""

    def __init__(self, document: Document, only_errors: set[str], notes: NoteList) -> None:
        self._document = document
        self._notes = notes
        self._bodies = {name: document.merged(schema) for name, schema in document.schemas.items()}
        self.names = [name for name in self._bodies if self._is_entity(name, only_errors)]
        if not self.names:
            raise ImportFailed("no schema of an object was found in components/schemas")
        if len(self.names) > MAX_ENTITIES:
            raise ImportFailed(f"there are {len(self.names)} schemas; a blueprint has at most {MAX_ENTITIES}")
        self._by_word = {snake(name): name for name in self.names}
        self._lists = Counter(target for name in self.names for target in {*self._listed(self._bodies[name])})

    def documents(self) -> Iterator[dict[str, Any]]:
        for name in self.names:
            yield self._entity(name)

    def base_of(self, name: str) -> str:
        """The entity that a schema is, or is a form of; "" where there is none."""
        return name if name in self.names else self._base(name, self.names)

    def of_path(self, segment: str) -> str:
        """The entity that a part of a path means: `pets` is Pet."""
        return self._by_word.get(singular(snake(segment)), "")

    def _base(self, name: str, among: Any) -> str:
        base = _VARIANT.sub("", name)
        candidates = (base, singular(base) if base[-1:] == "s" else base, base.removesuffix("s"))
        return next((one for one in candidates if one != name and one in among), "")

    def _is_entity(self, name: str, only_errors: set[str]) -> bool:
        body = self._bodies[name]
        if is_array(body) or (not body["properties"] and _is_simple(body)):
            return False  # in place, where it is used
        path = f"dataModels/{element_id(name)}"
        if not is_object(body) or name in only_errors:
            self._notes.add(NoteRule.NOT_A_RECORD, path, name=name)
            return False
        base = self._base(name, self._bodies)
        if base and is_object(self._bodies[base]) and base not in only_errors:
            self._notes.add(NoteRule.VARIANT, path, name=name, base=base)
            return False
        return True

    def _entity(self, name: str) -> dict[str, Any]:
        body = self._bodies[name]
        properties: dict[str, Any] = body["properties"]
        if len(properties) > MAX_FIELDS:
            raise ImportFailed(f"{name} has {len(properties)} properties; an entity has at most {MAX_FIELDS}")
        identity = element_id(name)
        label = label_of(name, text_of(body.get("title")))
        entity: dict[str, Any] = {
            "id": identity,
            "name": pascal(name)[:50] if is_readable(name) else name[:200],
            "label": label,
            "description": text_of(body.get("description"), 10_000),
            "fields": [],
            "relations": [],
        }
        taken: dict[str, None] = {}
        for property_name, schema in properties.items():
            element = element_id(property_name, taken)
            taken[element] = None
            self._property(entity, property_name, element, schema, property_name in body["required"])
        return entity

    def _property(self, entity: dict[str, Any], name: str, element: str, given: Any, required: bool) -> None:
        path = f"dataModels/{entity['id']}/fields/{element}"
        schema: Schema = given if isinstance(given, dict) else {}
        target = self.base_of(self._document.name_of(schema))
        merged = self._document.merged(schema)
        listed = self._item(merged) if is_array(merged) else ""
        if target or listed:
            is_nullable = bool(merged.get("nullable")) and not target
            relation = self._relation(entity, name, element, target or listed, required and not is_nullable)
            entity["relations"].append(relation | ({"type": self._list_type(listed)} if listed else {}))
            return
        if name == "id" and not is_object(merged):
            kind = text_of(merged.get("format") or merged.get("type"), 50)
            if merged.get("type") != "integer":
                self._notes.add(NoteRule.PRIMARY_KEY, path, columns=name, type=kind)
            return
        inferred = self._by_word.get(snake(_REFERENCE.sub("", name))) if _REFERENCE.search(name) else None
        if inferred and merged.get("type") in ("integer", "string"):
            self._notes.add(
                NoteRule.INFERRED, path.replace("/fields/", "/relations/"), name=name, target=inferred
            )
            short = _REFERENCE.sub("", name)
            entity["relations"].append(self._relation(entity, short, element, inferred, required))
            return
        field = field_document(
            self._document, name, element, schema, required=required, path=path, notes=self._notes
        )
        entity["fields"].append(field)

    def _relation(
        self, entity: dict[str, Any], name: str, element: str, target: str, required: bool
    ) -> dict[str, Any]:
        return {
            "id": element,
            "name": field_name(name),
            "label": label_of(name),
            "type": "ManyToOne",
            "target": element_id(target),
            "required": required,
        }

    def _list_type(self, target: str) -> str:
        """What several entities list belongs to none of them."""
        return "ManyToMany" if self._lists[target] > 1 else "OneToMany"

    def _listed(self, body: Schema) -> Iterator[str]:
        for schema in body["properties"].values():
            merged = self._document.merged(schema)
            if is_array(merged) and (name := self._item(merged)):
                yield name

    def _item(self, array: Schema) -> str:
        items = array.get("items")
        return self.base_of(self._document.name_of(items)) if isinstance(items, dict) else ""


def _is_simple(body: Schema) -> bool:
    kind = body.get("type")
    return bool(body.get("enum")) or (isinstance(kind, str | list) and kind != "object")
