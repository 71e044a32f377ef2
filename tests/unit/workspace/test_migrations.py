"""The migrations make the tables that the program declares."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from gencode.workspace import routes
from gencode.workspace.migrations.revision import VERSIONS, is_current, newest_revision
from gencode.workspace.migrations.upgrade import upgrade_tables
from gencode.workspace.tables import Base


def differences(file: Path) -> list[Any]:
    assert routes.OPERATIONS, "importing the routes imports all tables"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # indexes of expressions cannot be compared
        upgrade_tables(connection)
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return found


def test_the_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    assert differences(tmp_path / "workspace.db") == []


def test_the_newest_file_is_the_newest_migration() -> None:
    """A start reads the names of the files only."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [newest_revision()]
    for revision in script.walk_revisions():
        assert Path(revision.path).name.startswith(f"v{revision.revision}_")


def test_tables_are_current_only_after_the_newest_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'workspace.db'}")
    with engine.begin() as connection:
        assert not is_current(connection)
        upgrade_tables(connection)
        assert is_current(connection)
        for other in ("0001", "9999"):
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{other}'"))
            assert not is_current(connection)
    engine.dispose()
