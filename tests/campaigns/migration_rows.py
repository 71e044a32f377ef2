"""Rows for the tables of a blueprint, and what of them a migration must keep."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

import sqlalchemy as sa

from gencode.blueprints.migrations.schema import REFERENCE, Column, Schema, Table

ROWS = 3
"""Of each table; their ids are 1, 2, 3."""
Rows = dict[int, dict[str, Any]]
"""By id: values by column."""


def insert_rows(connection: sa.Connection, schema: Schema, random: Random) -> None:
    """Required references first: optional ones may close circles. A row that is not allowed is left out."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for table in _in_order(schema):
        into = metadata.tables[table.name]
        for number in range(1, ROWS + 1):
            _try(connection, into.insert().values(_row(table, number, random, connection.dialect.name)))
    for table in schema.tables.values():
        into = metadata.tables[table.name]
        for column in table.columns.values():
            if column.kind == REFERENCE and column.nullable:
                for number in range(1, ROWS + 1):
                    if random.random() < 0.7:
                        changed = into.update().where(into.c.id == number)
                        _try(connection, changed.values({column.name: number}))


def _in_order(schema: Schema) -> list[Table]:
    """What a table requires comes before it."""
    ordered: dict[str, Table] = {}
    while len(ordered) < len(schema.tables):
        for key, table in schema.tables.items():
            required = {
                one.target for one in table.foreign_keys.values() if not table.columns[one.column].nullable
            }
            if key not in ordered and required <= ordered.keys():
                ordered[key] = table
    return list(ordered.values())


def _try(connection: sa.Connection, statement: sa.Executable) -> None:
    with connection.begin_nested() as savepoint:
        try:
            connection.execute(statement)
        except sa.exc.IntegrityError:
            savepoint.rollback()


def _row(table: Table, number: int, random: Random, dialect: str) -> dict[str, Any]:
    row: dict[str, Any] = {} if table.is_join else {"id": number}
    if not table.is_join:
        row |= dict.fromkeys(("created_at", "updated_at"), dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    for column in table.columns.values():
        if column.kind == REFERENCE:
            row[column.name] = None if column.nullable else number
        elif column.nullable and random.random() < 0.3:
            row[column.name] = None
        else:
            row[column.name] = _value(column, number, random, dialect)
    return row


def _value(column: Column, number: int, random: Random, dialect: str) -> Any:
    """Another one for each row, as far as the type has so many."""
    room = 10 ** (column.precision - column.scale) - 1
    match column.kind:
        case "string" | "text":
            texts = (str(number), f"2024-02-{29 + number}", f"{number}.5", f"äö 价{number}" * 20, "true")
            text = str(number) if column.unique else random.choice(texts)
            return text[-(column.length or 16_000) :]
        case "enum":
            return column.value_names[number % len(column.value_names)]
        case "integer":
            return random.choice((number, -(2**31) + number))
        case "bigint":
            return random.choice((number, 2**63 - number))
        case "decimal":
            return Decimal(min(number, room)) if random.random() < 0.5 else Decimal(room - min(number, room))
        case "float":
            return random.choice((number + 0.5, 1e300 / number))
        case "boolean":
            return number % 2 == 0
        case "date":
            return dt.date(2024, 1, number)
        case "time":
            return dt.time(23, 59, number)
        case "datetime":
            return dt.datetime(2024, 1, number, 1, 2, 3, 456_000, tzinfo=dt.UTC)
        case "uuid":
            value = uuid.UUID(int=number)
            return value.hex if dialect == "mysql" else value
        case "json":
            document = {"value": [number, "价"]}
            return document if dialect == "postgresql" else json.dumps(document)
        case _:
            return bytes([number] * min(column.length or 2, 300))


def all_rows(connection: sa.Connection) -> Mapping[str, Rows]:
    """Of every table that has ids."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return {
        table.name: {row.id: dict(row._mapping) for row in connection.execute(table.select())}
        for table in metadata.tables.values()
        if "id" in table.c
    }


def delete_rows(connection: sa.Connection) -> None:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.tables.values() if table.name != "alembic_version"]
    for table in tables:
        for column in table.c:
            if column.foreign_keys and column.nullable:
                connection.execute(table.update().values({column.name: None}))
    waiting = tables
    while waiting:
        for table in waiting:
            _try(connection, table.delete())
        waiting = [
            table for table in waiting if connection.scalar(sa.select(sa.func.count()).select_from(table))
        ]
