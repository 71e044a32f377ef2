"""Migrations: what must be done to the tables of one version of a blueprint to have those of another.

    migration = migration_between(old, new, stack)
    migration.upgrade       # operations: rename_table, add_column, ...; some are destructive
    revision_text(migration, predecessor="0001", title="...", stack=stack)     # a file of Alembic

Elements are matched by id, so what was renamed keeps its rows and values. `schema` has the tables, `planner`
compares them, `conversions` has the SQL that changes types.
"""

from gencode.blueprints.migrations.operations import MigrationOperation, Risk
from gencode.blueprints.migrations.revision import (
    INITIAL_REVISION,
    Migration,
    destructive_steps,
    migration_between,
    revision_text,
    revisions_of,
)
from gencode.blueprints.migrations.words import described, reason

__all__ = [
    "INITIAL_REVISION",
    "Migration",
    "MigrationOperation",
    "Risk",
    "described",
    "destructive_steps",
    "migration_between",
    "reason",
    "revision_text",
    "revisions_of",
]
