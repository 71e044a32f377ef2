"""Git repositories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "git_repositories",
        sa.Column("repository_url", sa.String(length=1000), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=True),
        sa.Column("credential_id", sa.String(length=36), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_local", sa.Boolean(), nullable=False),
        sa.Column("sync_status", sa.String(length=20), nullable=False),
        sa.Column("sync_error", sa.Text(), nullable=True),
        sa.Column("sync_error_code", sa.String(length=60), nullable=True),
        sa.Column("sync_task_id", sa.String(length=36), nullable=True),
        sa.Column("last_sync_at", UtcDateTime(), nullable=True),
        sa.Column("default_branch", sa.String(length=255), nullable=True),
        sa.Column("head_commit", sa.String(length=40), nullable=True),
        sa.Column("branches", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "sync_status IN ('pending', 'syncing', 'success', 'failed')",
            name=op.f("ck_git_repositories_sync_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_git_repositories")),
    )
    op.create_index(op.f("ix_git_repositories_owner"), "git_repositories", ["owner"], unique=False)
    op.create_index(
        op.f("ix_git_repositories_credential_id"), "git_repositories", ["credential_id"], unique=False
    )
