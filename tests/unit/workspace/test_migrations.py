"""The migrations make the tables that the program declares."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from gencode.workspace import routes
from gencode.workspace.migrations.upgrade import upgrade_tables
from gencode.workspace.tables import Base


def differences(file: Path) -> list[Any]:
    assert routes.OPERATIONS, "importing the routes imports all tables"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # indexes of expressions cannot be compared
        upgrade_tables(connection)
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return found


def test_the_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    assert differences(tmp_path / "workspace.db") == []
