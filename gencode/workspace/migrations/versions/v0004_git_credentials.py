"""Git credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0004"
down_revision = "0003"

_PROVIDERS = "'github', 'gitlab', 'gitee', 'bitbucket', 'gitea', 'forgejo', 'generic'"
_ONE_DEFAULT = sa.text("is_default AND NOT is_deleted")


def upgrade() -> None:
    op.create_table(
        "git_credentials",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("git_username", sa.String(length=100), nullable=False),
        sa.Column("git_email", sa.String(length=254), nullable=False),
        sa.Column("access_token_encrypted", sa.Text(), nullable=True),
        sa.Column("api_url", sa.String(length=1000), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"provider IN ({_PROVIDERS})", name=op.f("ck_git_credentials_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_git_credentials")),
    )
    op.create_index(op.f("ix_git_credentials_owner"), "git_credentials", ["owner"], unique=False)
    op.create_index(
        "uq_git_credentials_default",
        "git_credentials",
        ["owner", "provider"],
        unique=True,
        sqlite_where=_ONE_DEFAULT,
        postgresql_where=_ONE_DEFAULT,
    )
