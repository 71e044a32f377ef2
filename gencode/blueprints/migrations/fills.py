"""What existing rows get in a column that requires a value."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from pydantic import JsonValue

from gencode.blueprints.migrations.schema import REFERENCE, Column
from gencode.blueprints.migrations.sql import quoted, value_literal
from gencode.blueprints.stack import Database

_NEUTRAL: MappingProxyType[str, JsonValue] = MappingProxyType(
    {
        "string": "",
        "text": "",
        "boolean": False,
        "date": "1970-01-01",
        "time": "00:00:00",
        "datetime": "1970-01-01T00:00:00",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "json": "{}",
        "binary": "",
    }
)
_COUNTED = frozenset({"string", "integer", "bigint", "float"})
"""Types that can hold the number of a row."""
_DIGITS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """sql          an expression; "" where no value would be right, as for a reference
    is_decision  it is the type's neutral value, as the blueprint has no default
    is_same      every row gets the same value
    """

    sql: str
    is_decision: bool
    is_same: bool = True


def fill_of(column: Column, database: Database) -> Fill:
    """The default, else the type's neutral value; the number of the row where values are unique."""
    if column.kind == REFERENCE:
        return Fill(sql="", is_decision=True)
    holds_numbers = column.kind in _COUNTED and (column.kind != "string" or (column.length or 0) >= _DIGITS)
    if column.unique and holds_numbers:
        number = quoted("id", database)
        text = f"CAST({number} AS {'CHAR' if database is Database.MYSQL else 'VARCHAR'})"
        return Fill(sql=text if column.kind == "string" else number, is_decision=True, is_same=False)
    has_default = column.default is not None
    value = column.default if has_default else _neutral(column)
    return Fill(sql=value_literal(column, value, database), is_decision=not has_default)


def _neutral(column: Column) -> JsonValue:
    if column.kind == "enum":
        return column.value_names[0]
    if column.kind in _NEUTRAL:
        return _NEUTRAL[column.kind]
    lowest = column.minimum if column.minimum is not None else 0
    highest = column.maximum if column.maximum is not None else max(lowest, 0)
    number = min(max(0, lowest), highest)
    return int(number) if float(number).is_integer() else number
