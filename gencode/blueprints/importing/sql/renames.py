"""Tables and columns that a later statement gives another name, with everything that refers to them."""

from __future__ import annotations

from dataclasses import replace

from gencode.blueprints.importing.relational.schema import QualifiedName, Schema, Table

MAX_RENAMES = 500
"""Of a text: each looks at all references."""


def rename_column(schema: Schema, table: Table, before: str, after: str) -> None:
    """Its place among the columns stays."""
    old = before.lower()
    column = table.columns.get(old)
    if column is None or old == after.lower():
        return

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(after if name.lower() == old else name for name in names)

    column.name = after
    table.columns = {after.lower() if key == old else key: one for key, one in table.columns.items()}
    table.primary_key = renamed(table.primary_key)
    table.indexes = [replace(index, columns=renamed(index.columns)) for index in table.indexes]
    for position, key in enumerate(schema.foreign_keys):
        columns = renamed(key.columns) if _is(key.source, table) else key.columns
        targets = renamed(key.target_columns) if _is(key.target, table) else key.target_columns
        if (columns, targets) != (key.columns, key.target_columns):
            schema.foreign_keys[position] = replace(key, columns=columns, target_columns=targets)


def rename_table(schema: Schema, table: Table, after: str) -> None:
    """Within its schema."""
    before, name = table.name, QualifiedName(schema=table.name.schema, name=after)
    for position, key in enumerate(schema.foreign_keys):
        source = name if _is(key.source, table) else key.source
        target = name if _is(key.target, table) else key.target
        schema.foreign_keys[position] = replace(key, source=source, target=target)
    table.name = name
    schema.tables = {name.key if key == before.key else key: one for key, one in schema.tables.items()}


def _is(name: QualifiedName, table: Table) -> bool:
    if name.name.lower() != table.name.name.lower():
        return False
    return name.key[0].lower() == table.name.key[0].lower()
