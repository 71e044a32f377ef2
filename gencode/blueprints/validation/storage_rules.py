"""Tables: their names, which must differ, and the size of their rows and keys."""

from __future__ import annotations

from collections.abc import Iterator

from gencode.blueprints.findings import Finding, Fix
from gencode.blueprints.identifiers import MAX_IDENTIFIER, is_identifier, pascal, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Entity
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import MAX_KEY_LENGTH, FieldType
from gencode.blueprints.validation.names import free_table, sql_word

_BYTES_PER_CHARACTER = 4
_MAX_ROW_BYTES = 65_535
_ENGINE_TABLES = frozenset({"alembic_version"})


def check(index: BlueprintIndex) -> Iterator[Finding]:
    taken = dict.fromkeys(_ENGINE_TABLES, "the migrations")
    for entity in index.blueprint.data_models:
        if not pascal(entity.name)[:1].isalpha():
            continue  # found by the rules of names
        path, table = f"dataModels/{entity.id}", index.table(entity.id)
        yield from _table(path, table, taken, "table", snake(entity.name))
        yield from _row_size(path, entity)
        yield from _key_sizes(path, entity)
    for link in index.join_links:
        path = f"dataModels/{link.declared_by}/relations/{link.relation.id}"
        table = index.join_table(link)
        if not link.join_table and not pascal(index.entities[link.source].name)[:1].isalpha():
            continue
        yield from _table(path, table, taken, "joinTable", f"{table}_links")


def _table(path: str, table: str, taken: dict[str, str], property_name: str, base: str) -> Iterator[Finding]:
    def fix() -> Fix:
        return Fix(changes={property_name: free_table(base, taken)})

    if not is_identifier(table[:MAX_IDENTIFIER]):
        yield Finding(
            element=path,
            rule=Rule.IDENTIFIER,
            parameters={"name": table, "most": str(MAX_IDENTIFIER)},
            fix=fix(),
        )
    elif table.lower() in taken:
        yield Finding(
            element=path,
            rule=Rule.TABLE_COLLISION,
            parameters={"table": table, "other": taken[table.lower()]},
            fix=fix(),
        )
    else:
        yield from sql_word(path, table.lower(), fix)
    taken.setdefault(table.lower(), path)


def _row_size(path: str, entity: Entity) -> Iterator[Finding]:
    """At the longest strings, those without an index first, that must become texts."""
    size = sum(
        (field.column_length or 0) * _BYTES_PER_CHARACTER + 2
        for field in entity.fields
        if field.type is FieldType.STRING
    )
    if size <= _MAX_ROW_BYTES:
        return
    strings = [field for field in entity.fields if field.type is FieldType.STRING]
    keyed = {field for constraint in entity.unique_constraints for field in constraint.fields}
    keyed |= {field.id for field in strings if field.unique or field.index}
    strings.sort(key=lambda field: (field.id in keyed, -(field.column_length or 0)))
    parameters, left = {"name": entity.name, "size": f"{size:,}"}, size
    for field in strings:
        if left <= _MAX_ROW_BYTES:
            return
        left -= (field.column_length or 0) * _BYTES_PER_CHARACTER
        yield Finding(
            element=f"{path}/fields/{field.id}",
            rule=Rule.ROW_SIZE,
            parameters=parameters,
            fix=Fix(
                changes={"type": "text", "length": None, "default": None, "unique": False, "index": False}
            ),
        )


def _key_sizes(path: str, entity: Entity) -> Iterator[Finding]:
    lengths = {
        field.id: (field.column_length or 0) if field.type is FieldType.STRING else 4
        for field in entity.fields
    }
    for constraint in entity.unique_constraints:
        length = sum(lengths.get(field, 4) for field in constraint.fields)
        if length > MAX_KEY_LENGTH:
            longest = max(constraint.fields, key=lambda field: lengths.get(field, 4))
            rest = MAX_KEY_LENGTH - (length - lengths.get(longest, 4))
            is_enough = rest > 0 and longest in lengths
            yield Finding(
                element=f"{path}/fields/{longest}"
                if is_enough
                else f"{path}/uniqueConstraints/{constraint.id}",
                rule=Rule.KEY_LENGTH,
                parameters={"most": str(MAX_KEY_LENGTH), "length": str(length)},
                fix=Fix(changes={"length": rest}) if is_enough else Fix(remove=True),
            )
