"""Blueprints of projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0018"
down_revision = "0017"

_OF_A_PROJECT = sa.text("project_id IS NOT NULL AND NOT is_deleted")


def upgrade() -> None:
    op.create_table(
        "blueprints",
        sa.Column("version_tag", sa.String(length=50), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("is_draft", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("entities", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blueprints")),
    )
    op.create_index(op.f("ix_blueprints_owner"), "blueprints", ["owner"])
    op.create_index(op.f("ix_blueprints_parent_id"), "blueprints", ["parent_id"])
    op.create_index(op.f("ix_blueprints_project_id"), "blueprints", ["project_id"])
    op.create_index(
        "uq_blueprints_project_version",
        "blueprints",
        ["project_id", "version_tag"],
        unique=True,
        sqlite_where=_OF_A_PROJECT,
        postgresql_where=_OF_A_PROJECT,
    )
