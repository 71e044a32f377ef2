"""Requirement documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "requirement_documents",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("original_content", sa.Text(), nullable=True),
        sa.Column("optimized_content", sa.Text(), nullable=True),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("requirements", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("original_filename", sa.String(length=255), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("mime_type", sa.String(length=100), nullable=True),
        sa.Column("upload_id", sa.String(length=36), nullable=True),
        sa.Column("previous_id", sa.String(length=36), nullable=True),
        sa.Column("parse_task_id", sa.String(length=36), nullable=True),
        sa.Column("analysis_task_id", sa.String(length=36), nullable=True),
        sa.Column("requirement_count", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint("source IN ('manual', 'upload')", name=op.f("ck_requirement_documents_source")),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed')",
            name=op.f("ck_requirement_documents_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirement_documents")),
    )
    for column in ("owner", "previous_id", "status"):
        op.create_index(
            op.f(f"ix_requirement_documents_{column}"), "requirement_documents", [column], unique=False
        )
