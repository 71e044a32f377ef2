"""Numbers and truth values as numbers of another type, in SQL."""

from __future__ import annotations

from gencode.blueprints.migrations.schema import Column

NUMBERS = frozenset({"integer", "bigint", "decimal", "float", "boolean"})
RANGES = {"integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}


def number(before: Column, after: Column, column: str, *, is_mysql: bool) -> str:
    """NULL where the value is out of the new type's range."""
    if after.kind == "boolean":
        return f"{column} <> 0"
    if before.kind == "boolean":
        return f"CASE WHEN {column} THEN 1 WHEN NOT {column} THEN 0 END"
    if after.kind == "float":
        return column if is_mysql else f"CAST({column} AS DOUBLE PRECISION)"
    if after.kind == "decimal":
        return decimal(after, column, is_mysql=is_mysql)
    if before.kind in RANGES and after.kind == "bigint":
        return column
    return whole(after, column, is_mysql=is_mysql)


def whole(after: Column, value: str, *, is_mysql: bool) -> str:
    """Compared as decimals: the largest bigint is no exact float."""
    lowest, highest = RANGES[after.kind]
    exact = f"CAST({value} AS {'DECIMAL(65, 0)' if is_mysql else 'NUMERIC'})"
    made = f"CASE WHEN ROUND({exact}) BETWEEN {lowest} AND {highest} THEN ROUND({exact}) END"
    return f"CASE WHEN ABS({value}) < 1e19 THEN {made} END"


def decimal(after: Column, value: str, *, is_mysql: bool) -> str:
    limit = 10 ** (after.precision - after.scale)
    exact = f"CAST({value} AS DECIMAL(65, 30))" if is_mysql else f"CAST({value} AS NUMERIC)"
    rounded = f"ROUND({exact}, {after.scale})"
    most = min(limit, 10**34) if is_mysql else limit
    made = f"CASE WHEN ABS({rounded}) < {limit} THEN {rounded} END"
    return f"CASE WHEN ABS({value}) < {most} THEN {made} END"
