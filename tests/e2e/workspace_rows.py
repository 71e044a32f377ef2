"""Rows of all tables of the workspace, with strange values, as the declarations of the tables allow them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    null,
    select,
)

from gencode.workspace.database import engine_of, open_database, sqlite_url
from gencode.workspace.table_copy import TABLES
from gencode.workspace.tables import UtcDateTime

STRANGE = "\x01 é \U0001f600 'quoted' \\ \" %s"
DOCUMENTS = ({"text": f"\0 {STRANGE}", "list": [1.0, 1e300, None, True]}, None, null(), [], "text")


async def fill(data_dir: Path, rows: int) -> None:
    """So many rows in each table. `data_dir`: may have no workspace yet."""
    async with open_database(sqlite_url(data_dir)):
        pass
    engine = engine_of(sqlite_url(data_dir))
    async with engine.begin() as connection:
        for table in TABLES:
            for number in range(rows):
                values = {column.name: value(table, column, number) for column in table.columns}
                for column in table.columns:
                    for key in column.foreign_keys:
                        parents = (await connection.scalars(select(key.column).order_by(key.column))).all()
                        values[column.name] = parents[number % len(parents)]
                await connection.execute(table.insert().values(values))
    await engine.dispose()


def value(table: Table, column: Column[Any], number: int) -> Any:
    """Not in the order of `number`, so that a copy cannot follow the order in which rows were stored."""
    shuffled = number * 7 % 10007
    if column.nullable and number % 3 == 0 and not isinstance(column.type, JSON):
        return None
    if words := allowed(table, column):
        return words[number % len(words)]
    if isinstance(column.type, JSON):
        document = DOCUMENTS[number % len(DOCUMENTS)]
        return document if column.nullable or document is not DOCUMENTS[2] else {}
    if isinstance(column.type, UtcDateTime):
        return datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC) + timedelta(hours=shuffled)
    if isinstance(column.type, LargeBinary):
        return bytes(range(256)) * number
    if isinstance(column.type, String):
        return text(column.type, number, shuffled)
    kinds: dict[type, Any] = {Boolean: number % 2 == 0, Float: shuffled / 3, Integer: shuffled + 1}
    return next(found for kind, found in kinds.items() if isinstance(column.type, kind))


def text(type_: String, number: int, shuffled: int) -> str:
    """Upper and lower case, which collations order otherwise than bytes."""
    made = f"{'aBcD'[number % 4]}{shuffled:05d}{STRANGE}"
    return made * 50 if isinstance(type_, Text) else made[: type_.length]


def allowed(table: Table, column: Column[Any]) -> list[str]:
    """The words of a constraint such as `role IN ('admin', 'user')`."""
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            listed = re.fullmatch(rf"{column.name} IN \((.*)\)", str(constraint.sqltext))
            if listed:
                return re.findall(r"'([^']*)'", listed[1])
    return []
