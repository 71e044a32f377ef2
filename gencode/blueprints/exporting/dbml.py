"""The data models of a blueprint as DBML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import JsonValue

from gencode.blueprints.exporting.columns import Column, Table, tables_of
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Blueprint
from gencode.blueprints.types import FieldType

_TYPES = {
    FieldType.STRING: "varchar",
    FieldType.TEXT: "text",
    FieldType.INTEGER: "integer",
    FieldType.BIGINT: "bigint",
    FieldType.DECIMAL: "decimal",
    FieldType.FLOAT: "double",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.DATETIME: "timestamp",
    FieldType.UUID: "uuid",
    FieldType.JSON: "json",
    FieldType.BINARY: "binary",
}
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def exported_dbml(blueprint: Blueprint) -> str:
    """Of a valid blueprint. Pages, apis and flows are not part of it."""
    tables = list(tables_of(BlueprintIndex(blueprint)))
    parts = ["\n".join(_enum(table, column)) for table in tables for column in table.columns if column.values]
    parts += ["\n".join(_table(table)) for table in tables]
    references = [line for table in tables for line in _references(table)]
    title = blueprint.label or blueprint.project_name
    project = [f"Project {_name(title)} {{\n  database_type: 'PostgreSQL'\n}}"] if title else []
    return "\n\n".join([*project, *parts, *(["\n".join(references)] if references else [])]) + "\n"


def _enum(table: Table, column: Column) -> Iterator[str]:
    yield f"Enum {_enum_name(table, column)} {{"
    for name, label in column.values:
        yield f"  {_name(name)}{f' [note: {_text(label)}]' if label else ''}"
    yield "}"


def _table(table: Table) -> Iterator[str]:
    yield f"Table {table.name} {{"
    if not table.key:
        yield "  id bigint [pk, increment]"
    for column in table.columns:
        settings = ", ".join(_settings(column))
        yield f"  {column.name} {_type(table, column)}{f' [{settings}]' if settings else ''}"
    if table.comment:
        yield f"  Note: {_text(table.comment)}"
    indexes = [f"    ({', '.join(columns)}) [unique]" for columns in table.uniques]
    indexes += [f"    {column.name}" for column in table.columns if column.is_indexed]
    indexes += [f"    ({', '.join(table.key)}) [pk]"] if table.key else []
    if indexes:
        yield from ("  indexes {", *indexes, "  }")
    yield "}"


def _type(table: Table, column: Column) -> str:
    if column.type is FieldType.ENUM:
        return _enum_name(table, column)
    name = _TYPES[column.type]
    if column.type is FieldType.DECIMAL:
        return f"{name}({column.precision},{column.scale})"
    return f"{name}({column.length})" if column.length else name


def _enum_name(table: Table, column: Column) -> str:
    return f"{table.name}_{column.name}"


def _settings(column: Column) -> Iterator[str]:
    if column.is_required:
        yield "not null"
    if column.is_unique:
        yield "unique"
    if column.default is not None:
        yield f"default: {_default(column, column.default)}"
    for check in column.checks(f'"{column.name}"'):
        yield f"check: `{check}`"
    if column.comment:
        yield f"note: {_text(column.comment)}"


def _default(column: Column, value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.type is FieldType.DATETIME and value == "now":
        return "`now()`"
    if isinstance(value, int | float) or column.type is FieldType.DECIMAL:
        return f"`{value}`"
    return _text(str(value))


def _references(table: Table) -> Iterator[str]:
    for one in table.references:
        sign = "-" if one.is_one else ">"
        settings = f"[delete: {one.on_delete.sql.lower()}]"
        yield f"Ref: {table.name}.{one.column} {sign} {one.target}.id {settings}"


def _text(text: str) -> str:
    """Several lines stand between three quotes."""
    plain = _CONTROL.sub(" ", text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'''{plain}'''" if "\n" in plain else f"'{plain}'"


def _name(text: str) -> str:
    plain = _CONTROL.sub(" ", text).replace("\n", " ").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
