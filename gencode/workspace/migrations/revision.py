"""Whether the tables are those of this version, without Alembic, which takes as long to import as a small
service to start."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gencode.workspace.tables import POSTGRES_SCHEMA

VERSIONS = Path(__file__).parent / "versions"
"""A migration's file is named by its revision: v0012_conversations.py."""
_TABLE = "alembic_version"


def newest_revision() -> str:
    return max(path.name[1:5] for path in VERSIONS.glob("v*.py"))


def is_current(connection: Connection) -> bool:
    """False for a database without tables, and for tables of an earlier or later version."""
    schema = POSTGRES_SCHEMA if connection.dialect.name == "postgresql" else None
    if not inspect(connection).has_table(_TABLE, schema=schema):
        return False
    name = f"{schema}.{_TABLE}" if schema else _TABLE
    found = connection.execute(text(f"SELECT version_num FROM {name}")).scalars()  # noqa: S608 - constants
    return list(found) == [newest_revision()]
