"""Code diffs and their files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "code_diffs",
        sa.Column("repository_id", sa.String(length=36), nullable=True),
        sa.Column("compare_type", sa.String(length=20), nullable=False),
        sa.Column("source_ref", sa.String(length=255), nullable=True),
        sa.Column("target_ref", sa.String(length=255), nullable=True),
        sa.Column("syncs", sa.Boolean(), nullable=False),
        sa.Column("source_commit", sa.String(length=40), nullable=True),
        sa.Column("target_commit", sa.String(length=40), nullable=True),
        sa.Column("base_commit", sa.String(length=40), nullable=True),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("commits", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("task_id", sa.String(length=36), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "compare_type IN ('branch', 'commit', 'patch')", name=op.f("ck_code_diffs_compare_type")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed')", name=op.f("ck_code_diffs_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_diffs")),
    )
    op.create_index(op.f("ix_code_diffs_owner"), "code_diffs", ["owner"], unique=False)
    op.create_index(op.f("ix_code_diffs_repository_id"), "code_diffs", ["repository_id"], unique=False)
    op.create_table(
        "code_diff_files",
        sa.Column("diff_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("diff_id", "position", name=op.f("pk_code_diff_files")),
    )
