"""Builds of blueprints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "blueprint_builds",
        sa.Column("blueprint_id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blueprint_builds")),
    )
    op.create_index(op.f("ix_blueprint_builds_blueprint_id"), "blueprint_builds", ["blueprint_id"])
    op.create_table(
        "blueprint_holes",
        sa.Column("scope", sa.String(length=210), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blueprint_holes")),
    )
    op.create_index("uq_blueprint_holes_scope_digest", "blueprint_holes", ["scope", "digest"], unique=True)
