"""What the archives of builds take of the storage of a project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    project = sa.Column("project_id", sa.String(length=36), nullable=True)
    size = sa.Column("bytes", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("blueprint_builds", project, schema=schema)
    op.add_column("blueprint_builds", size, schema=schema)
    op.create_index(op.f("ix_blueprint_builds_project_id"), "blueprint_builds", ["project_id"], schema=schema)
