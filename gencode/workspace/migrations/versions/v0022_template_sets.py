"""Template sets of users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0022"
down_revision = "0021"

_OF_A_PROJECT = sa.text("project_id IS NOT NULL AND NOT is_deleted")
_OF_A_PERSON = sa.text("project_id IS NULL AND NOT is_deleted")


def upgrade() -> None:
    op.create_table(
        "template_sets",
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("version_tag", sa.String(length=20), nullable=False),
        sa.Column("framework", sa.String(length=50), nullable=False),
        sa.Column("category", sa.String(length=50), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("previous_id", sa.String(length=36), nullable=True),
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'proven', 'rejected')", name=op.f("ck_template_sets_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_sets")),
    )
    for column in ("code", "owner", "project_id"):
        op.create_index(op.f(f"ix_template_sets_{column}"), "template_sets", [column])
    for place, condition in (("owner", _OF_A_PERSON), ("project", _OF_A_PROJECT)):
        column = "project_id" if place == "project" else place
        op.create_index(
            f"uq_template_sets_{place}_version",
            "template_sets",
            [column, "code", "version_tag"],
            unique=True,
            sqlite_where=condition,
            postgresql_where=condition,
        )
