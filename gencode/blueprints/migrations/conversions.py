"""How the values of a column become values of another type, in SQL of both databases.

A value that has no counterpart becomes NULL, so no row prevents a migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gencode.blueprints.migrations.fills import fill_of
from gencode.blueprints.migrations.from_text import parsed
from gencode.blueprints.migrations.numbers import NUMBERS, number
from gencode.blueprints.migrations.schema import Column
from gencode.blueprints.migrations.sql import quoted, text_literal, type_of
from gencode.blueprints.stack import Database

TEXTS = frozenset({"string", "text", "enum"})
_WIDTHS = {
    "integer": 11,
    "bigint": 20,
    "float": 25,
    "boolean": 5,
    "date": 10,
    "time": 15,
    "datetime": 27,
    "uuid": 36,
}
"""Characters of values that are written as texts."""
_WHOLE_DIGITS = {"boolean": 1, "integer": 10, "bigint": 19}
_MAX_TEXT = 16_000


class Safety(Enum):
    SAFE = "safe"
    """Every value is kept."""
    NARROWS = "narrows"
    """Values that are too large are cut, rounded or left out."""
    MAY_FAIL = "may fail"
    """Values that are no values of the new type are left out."""
    LOST = "lost"
    """No value can be kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """`expression`: "" where the database converts by itself."""

    expression: str
    safety: Safety


def is_converted(before: Column, after: Column) -> bool:
    """Whether the type in the database differs, or values must be chosen."""
    return before.type != after.type or (after.kind == "enum" != before.kind)


def conversion(before: Column, after: Column, database: Database) -> Conversion:
    """Of `before`, a column that is named as `after`, which holds values of the new type then."""
    safety = _safety(before, after)
    if safety is Safety.SAFE and _is_direct(before, after):
        return Conversion(expression="", safety=safety)
    column = quoted(after.name, database)
    made = "NULL" if safety is Safety.LOST else _expression(before, after, column, database)
    if not after.nullable:
        made = f"COALESCE({made}, {fill_of(after, database).sql})"
    if database is Database.POSTGRESQL:
        made = f"CAST({made} AS {type_of(after)})"
    return Conversion(expression=made, safety=safety)


def _is_direct(before: Column, after: Column) -> bool:
    return before.kind == after.kind or (before.kind in TEXTS and after.kind in {"string", "text"})


def _safety(before: Column, after: Column) -> Safety:
    if after.kind in {"string", "text"} and before.kind != "binary":
        is_kept = before.kind != "json" and _width(before) <= _room(after)
        return Safety.SAFE if is_kept else Safety.NARROWS
    if before.kind in NUMBERS and after.kind in NUMBERS:
        return _safety_of_numbers(before, after)
    if (before.kind, after.kind) == ("date", "datetime") or (
        after.kind == "json" and before.kind in TEXTS | NUMBERS
    ):
        return Safety.SAFE
    if before.kind == "datetime" and after.kind in {"date", "time"}:
        return Safety.NARROWS
    if before.kind == after.kind == "binary":
        return Safety.SAFE if (before.length or 65_535) <= (after.length or 65_535) else Safety.NARROWS
    return Safety.MAY_FAIL if before.kind in TEXTS else Safety.LOST


def _width(column: Column) -> int:
    if column.kind == "string":
        return column.length or 0
    if column.kind == "enum":
        return max(map(len, column.value_names))
    if column.kind == "decimal":
        return column.precision + 3
    return _WIDTHS.get(column.kind, _MAX_TEXT)


def _room(column: Column) -> int:
    return (column.length or 0) if column.kind == "string" else _MAX_TEXT


def _safety_of_numbers(before: Column, after: Column) -> Safety:
    if after.kind == "boolean" or (before.kind == "float" and after.kind != "float"):
        return Safety.NARROWS
    if after.kind == "float":
        return Safety.NARROWS if before.kind in {"bigint", "decimal"} else Safety.SAFE
    whole = before.precision - before.scale if before.kind == "decimal" else _WHOLE_DIGITS[before.kind]
    room = after.precision - after.scale if after.kind == "decimal" else _WHOLE_DIGITS[after.kind]
    is_exact = before.scale <= after.scale and (after.kind == "decimal" or before.kind != "decimal")
    return Safety.SAFE if whole <= room and is_exact else Safety.NARROWS


def _expression(before: Column, after: Column, column: str, database: Database) -> str:
    is_mysql = database is Database.MYSQL
    if before.kind in NUMBERS and after.kind in NUMBERS:
        return number(before, after, column, is_mysql=is_mysql)
    if before.kind == "date" and after.kind == "datetime":
        return (
            f"CAST({column} AS DATETIME)" if is_mysql else f"CAST({column} AS TIMESTAMP) AT TIME ZONE 'UTC'"
        )
    if before.kind == "datetime" and after.kind in {"date", "time"}:
        moment = column if is_mysql else f"{column} AT TIME ZONE 'UTC'"
        return f"CAST({moment} AS {after.kind.upper()})"
    if before.kind == after.kind == "binary":
        return f"CASE WHEN OCTET_LENGTH({column}) <= {after.length or 65_535} THEN {column} END"
    if after.kind == "json" and not (before.kind in TEXTS and is_mysql):
        return _text_of(before, column, is_mysql=True) if is_mysql else f"TO_JSON({column})"
    text = _text_of(before, column, is_mysql=is_mysql)
    if after.kind == "string" or (after.kind == "text" and _width(before) >= _MAX_TEXT):
        return f"LEFT({text}, {after.length or _MAX_TEXT})"
    if after.kind == "enum":
        values = ", ".join(text_literal(value, database) for value in after.value_names)
        return f"CASE WHEN {text} IN ({values}) THEN {text} END"
    return text if after.kind == "text" else parsed(after, text, is_mysql=is_mysql)


def _text_of(before: Column, column: str, *, is_mysql: bool) -> str:
    if before.kind in TEXTS:
        return column
    if not is_mysql:
        if before.kind == "datetime":
            return f"TO_CHAR({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        return f"CAST({column} AS TEXT)"
    if before.kind == "boolean":
        return f"CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"
    if before.kind == "datetime":
        return f"DATE_FORMAT({column}, '%Y-%m-%dT%H:%i:%s.%fZ')"
    if before.kind == "uuid":
        plain = f"REPLACE({column}, '-', '')"
        parts = ", ".join(f"SUBSTR({plain}, {start}, {size})" for start, size in _UUID_PARTS)
        return f"LOWER(CONCAT_WS('-', {parts}))"
    return f"CAST({column} AS CHAR)"


_UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
