"""A schema becomes a blueprint: tables are entities, references are relations, join tables ManyToMany."""

from __future__ import annotations

from typing import Any

from gencode.blueprints.identifiers import MAX_IDENTIFIER, pascal, plural, snake
from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.join_tables import join_tables
from gencode.blueprints.importing.relational.names import (
    description_of,
    element_id,
    entity_name,
    is_readable,
    is_table_name,
    label_of,
)
from gencode.blueprints.importing.relational.references import Key, Reference, References
from gencode.blueprints.importing.relational.schema import QualifiedName, Schema, SetLink, Table
from gencode.blueprints.importing.relational.table_entity import TableEntity
from gencode.blueprints.model import MAX_ENTITIES, MAX_FIELDS


def blueprint_document(schema: Schema, notes: NoteList) -> dict[str, Any]:
    """A document whose names may be invalid. Raises ImportFailed."""
    _check_size(schema)
    return _Builder(schema, notes).document()


def _check_size(schema: Schema) -> None:
    if not schema.tables:
        raise ImportFailed("no table was found")
    if len(schema.tables) > MAX_ENTITIES:
        raise ImportFailed(f"there are {len(schema.tables)} tables; a blueprint has at most {MAX_ENTITIES}")
    for table in schema.tables.values():
        if len(table.columns) > MAX_FIELDS:
            message = f"{table.name} has {len(table.columns)} columns; an entity has at most {MAX_FIELDS}"
            raise ImportFailed(message, table.line, 1)


class _Builder:
    def __init__(self, schema: Schema, notes: NoteList) -> None:
        self._schema = schema
        self._notes = notes
        self._ids = _entity_ids(schema)
        self._references = References(schema, self._ids, notes)
        self._entities: dict[Key, dict[str, Any]] = {}
        self._collections: set[tuple[str, str]] = set()
        """Ids of entities with names of sets of records, so that no two relations name each other."""

    def document(self) -> dict[str, Any]:
        joins = join_tables(self._schema, self._references)
        named: set[str] = set()
        for key, table in self._schema.tables.items():
            if key not in joins:
                name = self._name(table, named)
                entity = TableEntity(self._schema, table, self._ids, self._references, self._notes)
                self._entities[key] = entity.document(name)
        for key, (first, second) in joins.items():
            self._entities[first.target]["relations"].append(self._joined(key, first, second))
        for link in self._schema.set_links:
            self._add_set_link(link)
        title = self._schema.name
        return {
            "projectName": snake(title)[:50].strip("_") if is_readable(title) else "",
            "label": title[:200],
            "description": self._schema.description[:10_000],
            "dataModels": list(self._entities.values()),
        }

    def _name(self, table: Table, named: set[str]) -> dict[str, Any]:
        """Of two tables with one name in different schemas, the second gets the schema's name as well."""
        name, schema = table.name.name, table.name.schema
        entity = entity_name(name)
        if entity in named and is_readable(name) and is_readable(schema):
            entity, name = pascal(f"{schema}_{entity}")[:MAX_IDENTIFIER], f"{schema}_{name}"
        named.add(entity)
        label = label_of(table.name.name, table.comment)
        shown = {"name": entity, "label": label, "description": description_of(table.comment, label)}
        if is_table_name(name) and name != plural(snake(entity)):
            shown["table"] = name.lower()
        return shown

    def _joined(self, key: Key, first: Reference, second: Reference) -> dict[str, Any]:
        """Declared at the target of the first reference."""
        table = self._schema.tables[key]
        names = [self._schema.tables[one.target].name.name for one in (first, second)]
        self._notes.add(
            NoteRule.JOIN_TABLE,
            f"dataModels/{self._ids[first.target]}",
            table.line,
            table=str(table.name),
            source=names[0],
            target=names[1],
        )
        source, target = self._ids[first.target], self._ids[second.target]
        ends = (first.name, second.name) if source == target else tuple(map(entity_name, names))
        taken = {one["id"] for one in self._entities[first.target]["relations"]}
        return {
            "id": element_id(table.name.name, taken),
            "name": self._collection(source, ends[1], table.name.name),
            "type": "ManyToMany",
            "target": target,
            "inverseName": self._collection(target, ends[0], table.name.name),
            "joinTable": table.name.name.lower() if is_table_name(table.name.name) else "",
        }

    def _add_set_link(self, link: SetLink) -> None:
        source, target = (self._entity(name, link.line) for name in (link.source, link.target))
        if source is None or target is None:
            return
        if len(source["relations"]) >= MAX_FIELDS:
            raise ImportFailed(f"{link.source} has more than {MAX_FIELDS} relations", link.line, 1)
        taken = {one["id"] for one in source["relations"]}
        relation = {
            "id": element_id(f"{target['id']}_set", taken),
            "name": self._collection(source["id"], target["name"], "linked"),
            "type": "ManyToMany",
            "target": target["id"],
        }
        if source is not target:
            relation["inverseName"] = self._collection(target["id"], source["name"], "linked")
        source["relations"].append(relation)

    def _collection(self, entity: str, name: str, other: str) -> str:
        """The attribute of an entity that holds several records; where it is taken, with another word."""
        base = plural(snake(name)) if is_readable(name) else name[:200]
        if (entity, base) in self._collections and is_readable(other):
            base = f"{snake(other)}_{base}"
        self._collections.add((entity, base))
        return base

    def _entity(self, name: QualifiedName, line: int) -> dict[str, Any] | None:
        key = self._references.key(name)
        found = self._entities.get(key) if key is not None else None
        if found is None:
            self._notes.add(NoteRule.UNRESOLVED, line=line, name=str(name))
        return found


def _entity_ids(schema: Schema) -> dict[Key, str]:
    ids: dict[Key, str] = {}
    taken: set[str] = set()
    for key, table in schema.tables.items():
        name = table.name.name
        ids[key] = element_id(name if name not in taken else str(table.name), taken)
        taken.add(ids[key])
    return ids
