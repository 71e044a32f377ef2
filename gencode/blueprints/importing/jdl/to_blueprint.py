"""What a JDL text says becomes a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.identifiers import is_identifier, pascal, plural, snake
from gencode.blueprints.importing.enumerations import enum_type
from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.jdl.parser import parse_jdl
from gencode.blueprints.importing.jdl.syntax import End, Field, JdlEntity, JdlText, Relationship
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.names import (
    description_of,
    element_id,
    field_name,
    is_readable,
    label_of,
)
from gencode.blueprints.model import MAX_ENTITIES, MAX_FIELDS
from gencode.blueprints.types import MAX_LENGTH

_TYPES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "String": {"type": "string"},
        "Integer": {"type": "integer"},
        "Long": {"type": "bigint"},
        "BigDecimal": {"type": "decimal", "precision": 21, "scale": 2},
        "Float": {"type": "float"},
        "Double": {"type": "float"},
        "Boolean": {"type": "boolean"},
        "LocalDate": {"type": "date"},
        "LocalTime": {"type": "time"},
        "Instant": {"type": "datetime"},
        "ZonedDateTime": {"type": "datetime"},
        "LocalDateTime": {"type": "datetime"},
        "UUID": {"type": "uuid"},
        "Blob": {"type": "binary"},
        "AnyBlob": {"type": "binary"},
        "ImageBlob": {"type": "binary"},
        "ByteBuffer": {"type": "binary"},
        "TextBlob": {"type": "text"},
    }
)
_APPROXIMATE = MappingProxyType({"Duration": {"type": "bigint"}})
_BUILT_IN = MappingProxyType({"User": "login", "Authority": "name"})
"""Entities that JHipster has itself, with the field that names a record."""


def read_jdl(text: str, notes: NoteList) -> dict[str, Any]:
    """A document whose names may be invalid. Raises ImportFailed."""
    jdl = parse_jdl(text)
    if not jdl.entities:
        raise ImportFailed("no entity was found")
    if len(jdl.entities) > MAX_ENTITIES:
        raise ImportFailed(f"there are {len(jdl.entities)} entities; a blueprint has at most {MAX_ENTITIES}")
    for option, line in jdl.options:
        notes.add(NoteRule.OPTION, line=line, option=option)
    return _Builder(jdl, notes).document()


class _Builder:
    def __init__(self, jdl: JdlText, notes: NoteList) -> None:
        self._jdl = jdl
        self._notes = notes
        self._entities = {name: self._entity(entity) for name, entity in jdl.entities.items()}

    def document(self) -> dict[str, Any]:
        for relationship in self._jdl.relationships:
            self._add_relation(relationship)
        name = self._jdl.name
        return {
            "projectName": snake(name)[:50].strip("_") if is_readable(name) else "",
            "label": name[:200],
            "dataModels": list(self._entities.values()),
        }

    # --- entities -------------------------------------------------------------------------------------

    def _entity(self, entity: JdlEntity) -> dict[str, Any]:
        name = entity.name.text
        if len(entity.fields) > MAX_FIELDS:
            raise ImportFailed(f"{name} has more than {MAX_FIELDS} fields", entity.name.line, 1)
        label = label_of(name, entity.comment)
        document: dict[str, Any] = {
            "id": element_id(name),
            "name": pascal(name)[:50] if is_readable(name) else name[:200],
            "label": label,
            "description": description_of(entity.comment, label),
            "relations": [],
        }
        if is_identifier(entity.table) and entity.table != plural(snake(name)):
            document["table"] = entity.table
        taken: dict[str, None] = {}
        fields = []
        for field in entity.fields:
            identity = element_id(field.name.text, taken)
            taken[identity] = None
            fields.append(self._field(field, identity, f"dataModels/{document['id']}/fields/{identity}"))
        return {**document, "fields": fields}

    def _field(self, field: Field, identity: str, path: str) -> dict[str, Any]:
        label = label_of(field.name.text, field.comment)
        document = {
            "id": identity,
            "name": field_name(field.name.text),
            "label": label,
            "description": description_of(field.comment, label),
            "required": "required" in field.validations,
            "unique": "unique" in field.validations,
            **self._type(field, path),
        }
        for name, text in field.validations.items():
            self._validation(document, field, name, text, path)
        return document

    def _type(self, field: Field, path: str) -> dict[str, Any]:
        if field.type in _TYPES:
            return {**_TYPES[field.type]}
        if found := enum_type(self._jdl.enums.get(field.type, [])):
            return found
        used = _APPROXIMATE.get(field.type, {"type": "string"})
        if field.type in self._jdl.enums or field.type in _APPROXIMATE:
            self._note(NoteRule.COLUMN_TYPE, path, field, type=field.type, used=used["type"])
        else:
            self._note(NoteRule.UNRESOLVED, path, field, name=field.type)
        return {**used}

    def _validation(self, document: dict[str, Any], field: Field, name: str, text: str, path: str) -> None:
        if name in ("required", "unique"):
            return
        if name == "pattern":
            self._note(NoteRule.PATTERN, path, field, pattern=text)
            return
        number = self._number(text)
        if number is None:
            self._note(NoteRule.UNRESOLVED, path, field, name=text or name)
        elif name in ("min", "max") and document["type"] in ("integer", "bigint", "decimal", "float"):
            document["minimum" if name == "min" else "maximum"] = number
        elif name == "minlength" and document["type"] in ("string", "text"):
            document["minLength"] = _bounded(number, 0)
        elif (name == "maxlength" and document["type"] == "string" and number <= MAX_LENGTH) or (
            name == "maxbytes" and document["type"] == "binary" and number <= MAX_LENGTH
        ):
            document["length"] = _bounded(number, 1)
        else:
            self._note(NoteRule.OPTION, path, field, option=f"{name}({text})")

    def _number(self, text: str) -> float | None:
        known = self._jdl.constants.get(text, text)
        try:
            return float(known) if len(known) < 30 else None
        except ValueError:
            return None

    def _note(self, rule: NoteRule, path: str, field: Field, **parameters: str) -> None:
        self._notes.add(rule, path, field.name.line, **parameters)

    # --- relations ------------------------------------------------------------------------------------

    def _add_relation(self, relationship: Relationship) -> None:
        """Declared at the source; a required end of OneToMany is the many's."""
        source, target, kind = relationship.source, relationship.target, relationship.type
        for end in (source, target):
            if not self._is_known(end):
                self._notes.add(NoteRule.UNRESOLVED, line=end.entity.line, name=end.entity.text)
                return
        holder = self._entities[source.entity.text]
        if len(holder["relations"]) >= MAX_FIELDS:
            message = f"{source.entity.text} has more than {MAX_FIELDS} relations"
            raise ImportFailed(message, source.entity.line, 1)
        name = self._end_name(source, target, is_many=kind in ("OneToMany", "ManyToMany"))
        inverse = self._end_name(target, source, is_many=kind in ("ManyToOne", "ManyToMany"))
        identity = element_id(source.field or target.entity.text, {one["id"] for one in holder["relations"]})
        is_required = target.required if kind == "OneToMany" else source.required
        holder["relations"].append(
            {
                "id": identity,
                "name": name,
                "label": label_of(source.field or target.entity.text, source.comment),
                "description": source.comment[:10_000],
                "type": kind,
                "target": self._entities[target.entity.text]["id"],
                "inverseName": inverse if target.field else "",
                "required": is_required and kind != "ManyToMany",
            }
        )
        self._keep_apart(holder)
        path = f"dataModels/{holder['id']}/relations/{identity}"
        for end, is_kept in ((source, kind != "OneToMany"), (target, kind == "OneToMany")):
            if end.display:
                told = f"{end.field}({end.display})"
                self._notes.add(NoteRule.OPTION, path, end.entity.line, option=told)
            if end.required and (not is_kept or kind == "ManyToMany"):
                told = f"{end.entity.text}{{{end.field} required}}"
                self._notes.add(NoteRule.OPTION, path, end.entity.line, option=told)
        for option in relationship.options:
            if option != "builtInEntity":
                self._notes.add(NoteRule.OPTION, path, source.entity.line, option=f"with {option}")

    def _keep_apart(self, holder: dict[str, Any]) -> None:
        """Of two relations without inverse names, one from each entity to the other, neither is the other's
        inverse."""
        added = holder["relations"][-1]
        target = next(one for one in self._entities.values() if one["id"] == added["target"])
        if added["type"] in ("OneToOne", "ManyToMany") and not added["inverseName"]:
            opposite = [
                one for one in target["relations"] if one is not added and one["type"] == added["type"]
            ]
            if any(one["target"] == holder["id"] and not one["inverseName"] for one in opposite):
                added["inverseName"] = f"{snake(holder['name'])}_of_{snake(added['name'])}"

    def _end_name(self, end: End, other: End, *, is_many: bool) -> str:
        """JHipster writes the name of a collection in the singular."""
        name = field_name(end.field or other.entity.text)
        if not is_readable(name):
            return name
        return plural(snake(name)) if is_many else snake(name) if not end.field else name

    def _is_known(self, end: End) -> bool:
        name = end.entity.text
        if name in self._entities:
            return True
        if name not in _BUILT_IN:
            return False
        shown = _BUILT_IN[name]
        fields = [{"name": shown, "type": "string", "length": 50, "required": True, "unique": True}]
        self._entities[name] = {"id": name, "name": name, "fields": fields, "relations": []}
        self._notes.add(NoteRule.BUILT_IN, f"dataModels/{name}", end.entity.line, name=name, fields=shown)
        return True


def _bounded(number: float, least: int) -> int:
    return min(max(int(number), least), MAX_LENGTH)
