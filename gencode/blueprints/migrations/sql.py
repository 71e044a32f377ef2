"""SQL of PostgreSQL, and of MySQL and MariaDB: names, literals, types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import JsonValue

from gencode.blueprints.migrations.schema import REFERENCE, Column
from gencode.blueprints.stack import Database


def quoted(name: str, database: Database) -> str:
    """Names are identifiers, without quotes."""
    return f'"{name}"' if database is Database.POSTGRESQL else f"`{name}`"


def text_literal(value: str, database: Database) -> str:
    """Of PostgreSQL, without `%` and backslashes, which drivers and settings read."""
    body = value.replace("'", "''")
    if database is Database.MYSQL:
        return f"'{body.replace(chr(92), chr(92) * 2)}'"
    if "%" not in body and "\\" not in body:
        return f"'{body}'"
    return "U&'" + body.replace("\\", "\\\\").replace("%", "\\0025") + "'"


def type_of(column: Column) -> str:
    """The name of a column's type in casts of PostgreSQL."""
    return {
        "string": f"VARCHAR({column.length})",
        "enum": "VARCHAR(100)",
        "text": "TEXT",
        "integer": "INTEGER",
        "bigint": "BIGINT",
        REFERENCE: "BIGINT",
        "decimal": f"NUMERIC({column.precision}, {column.scale})",
        "float": "DOUBLE PRECISION",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "time": "TIME",
        "datetime": "TIMESTAMP WITH TIME ZONE",
        "uuid": "UUID",
        "json": "JSON",
        "binary": "BYTEA",
    }[column.kind]


def value_literal(column: Column, value: JsonValue, database: Database) -> str:
    """A JSON value of the column's type, as its default has it."""
    is_mysql = database is Database.MYSQL
    text = str(value)
    match column.kind:
        case "integer" | "bigint" | "decimal" | "float":
            return str(Decimal(text))
        case "boolean":
            return "TRUE" if value else "FALSE"
        case "date" | "time":
            return f"{column.kind.upper()} '{text}'"
        case "datetime":
            return _moment(text, is_mysql=is_mysql)
        case "uuid":
            return f"'{text.replace('-', '').lower()}'" if is_mysql else f"CAST('{text}' AS UUID)"
        case "json" | "binary":
            return f"'{text}'" if is_mysql else f"CAST('{text}' AS {type_of(column)})"
        case _:
            return text_literal(text, database)


def _moment(text: str, *, is_mysql: bool) -> str:
    if text == "now":
        return "UTC_TIMESTAMP(6)" if is_mysql else "CURRENT_TIMESTAMP"
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    written = moment.isoformat(" ", "microseconds")
    return f"TIMESTAMP '{written}'" if is_mysql else f"TIMESTAMP WITH TIME ZONE '{written}+00'"
