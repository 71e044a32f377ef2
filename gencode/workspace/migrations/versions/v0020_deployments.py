"""Deployment configs of projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0020"
down_revision = "0019"

_PRESENT = sa.text("NOT is_deleted")


def upgrade() -> None:
    op.create_table(
        "deployments",
        sa.Column("env_name", sa.String(length=50), nullable=False),
        sa.Column("config_data", sa.JSON(), nullable=False),
        sa.Column("secrets_encrypted", sa.Text(), nullable=True),
        sa.Column("secrets_names", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("deployed_version", sa.String(length=50), nullable=True),
        sa.Column("deployed_at", UtcDateTime(), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "status IN ('idle', 'deploying', 'deployed', 'failed')", name=op.f("ck_deployments_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index(op.f("ix_deployments_owner"), "deployments", ["owner"])
    op.create_index(op.f("ix_deployments_project_id"), "deployments", ["project_id"])
    op.create_index(
        "uq_deployments_project_env",
        "deployments",
        ["project_id", "env_name"],
        unique=True,
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )
