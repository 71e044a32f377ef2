"""The tables of teams and of their members."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.plans.rules import Plan
from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.tables import NOT_DELETED, Base, Row
from gencode.workspace.teams.roles import TeamRole

CODE_LENGTH = 50


class TeamStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """Its members can read, and change nothing."""


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Team(OwnedRow):
    """owner   the principal of the member whose role is owner; there is always one
    code    unique in the service
    max_members, max_projects, storage_quota_mb  null: what the service's plans say
    """

    __tablename__ = "teams"

    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    description: Mapped[str | None] = mapped_column(String(500))
    max_members: Mapped[int | None]
    max_projects: Mapped[int | None]
    storage_quota_mb: Mapped[int | None]
    subscription_plan: Mapped[str] = mapped_column(String(20), default=Plan.FREE.value)
    subscription_ends_on: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20), default=TeamStatus.ACTIVE.value)

    __table_args__ = (
        one_of("subscription_plan", Plan),
        one_of("status", TeamStatus),
        Index("uq_teams_code", "code", unique=True, sqlite_where=NOT_DELETED, postgresql_where=NOT_DELETED),
    )


_IS_OWNER = text("role = 'owner'")


class TeamMember(Row, Base):
    """`created_at` is when the member joined. `principal`: as in Actor, and so is `invited_by`."""

    __tablename__ = "team_members"

    team_id: Mapped[str] = mapped_column(String(36))
    principal: Mapped[str] = mapped_column(String(200), index=True)
    role: Mapped[str] = mapped_column(String(20))
    invited_by: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        one_of("role", TeamRole),
        Index("uq_team_members_principal", "team_id", "principal", unique=True),
        Index(
            "uq_team_members_owner",
            "team_id",
            unique=True,
            sqlite_where=_IS_OWNER,
            postgresql_where=_IS_OWNER,
        ),
    )
