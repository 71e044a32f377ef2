"""Reviews: findings of a subject, and reviewed hunks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _findings()
    _subjects()
    _hunks()


def _findings() -> None:
    op.create_table(
        "review_findings",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("identity", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=30), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("first_task_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'gone', 'ignored')", name=op.f("ck_review_findings_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_findings")),
    )
    op.create_index(
        "ix_review_findings_subject", "review_findings", ["owner", "subject", "status"], unique=False
    )


def _subjects() -> None:
    op.create_table(
        "review_subjects",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_subjects")),
    )
    op.create_index("uq_review_subjects_subject", "review_subjects", ["owner", "subject"], unique=True)


def _hunks() -> None:
    op.create_table(
        "reviewed_hunks",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewed_hunks")),
    )
    op.create_index("ix_reviewed_hunks_created_at", "reviewed_hunks", ["owner", "created_at"], unique=False)
    op.create_index("uq_reviewed_hunks_key", "reviewed_hunks", ["owner", "key"], unique=True)
