"""Teams, their members, projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gencode.workspace.tables import UtcDateTime

revision = "0016"
down_revision = "0015"

_OF_A_TEAM = sa.text("team_id IS NOT NULL AND NOT is_deleted")
_OF_A_PERSON = sa.text("team_id IS NULL AND NOT is_deleted")
_IS_OWNER = sa.text("role = 'owner'")
_NOT_DELETED = sa.text("NOT is_deleted")


def upgrade() -> None:
    _teams()
    _members()
    _projects()


def _row() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    ]


def _owned_row() -> list[sa.Column[object]]:
    return [
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_row(),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
    ]


def _unique(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("max_members", sa.Integer(), nullable=True),
        sa.Column("max_projects", sa.Integer(), nullable=True),
        sa.Column("storage_quota_mb", sa.Integer(), nullable=True),
        sa.Column("subscription_plan", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        *_owned_row(),
        sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f("ck_teams_status")),
        sa.CheckConstraint(
            "subscription_plan IN ('free', 'team', 'enterprise')", name=op.f("ck_teams_subscription_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
    )
    op.create_index(op.f("ix_teams_owner"), "teams", ["owner"], unique=False)
    _unique("uq_teams_code", "teams", ["code"], _NOT_DELETED)


def _members() -> None:
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.String(length=36), nullable=False),
        sa.Column("principal", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("invited_by", sa.String(length=200), nullable=True),
        *_row(),
        sa.CheckConstraint(
            "role IN ('owner', 'admin', 'member', 'viewer')", name=op.f("ck_team_members_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_members")),
    )
    op.create_index(op.f("ix_team_members_principal"), "team_members", ["principal"], unique=False)
    op.create_index("uq_team_members_principal", "team_members", ["team_id", "principal"], unique=True)
    _unique("uq_team_members_owner", "team_members", ["team_id"], _IS_OWNER)


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("team_id", sa.String(length=36), nullable=True),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("tech_stack", sa.JSON(), nullable=False),
        sa.Column("project_type", sa.String(length=20), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("storage_used_bytes", sa.BigInteger(), nullable=False),
        *_owned_row(),
        sa.CheckConstraint(
            "project_type IN ('web', 'mobile', 'desktop')", name=op.f("ck_projects_project_type")
        ),
        sa.CheckConstraint("status IN ('active', 'archived', 'deleted')", name=op.f("ck_projects_status")),
        sa.CheckConstraint(
            "visibility IN ('private', 'team', 'public')", name=op.f("ck_projects_visibility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_index(op.f("ix_projects_owner"), "projects", ["owner"], unique=False)
    op.create_index(op.f("ix_projects_team_id"), "projects", ["team_id"], unique=False)
    _unique("uq_projects_team_code", "projects", ["team_id", "code"], _OF_A_TEAM)
    _unique("uq_projects_owner_code", "projects", ["owner", "code"], _OF_A_PERSON)
