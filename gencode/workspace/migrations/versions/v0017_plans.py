"""Plans of users, and generations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import POSTGRES_SCHEMA, UtcDateTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    level = sa.Column("subscription_level", sa.String(length=20), nullable=False, server_default="free")
    # Alembic does not translate the schema of a table that it alters.
    schema = POSTGRES_SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    op.add_column("users", level, schema=schema)
    op.create_table(
        "generations",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("is_stored", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
    )
    op.create_index(op.f("ix_generations_project_id"), "generations", ["project_id"], unique=False)
    op.create_index("ix_generations_subject_month", "generations", ["subject", "month"], unique=False)
