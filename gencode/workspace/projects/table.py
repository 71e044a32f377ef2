"""The table of projects, and the columns of what belongs to a project."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.teams.tables import one_of

CODE_LENGTH = 100


class Visibility(StrEnum):
    PRIVATE = "private"
    """Of a team's project: for who created it, and the team's owner and admins."""
    TEAM = "team"
    PUBLIC = "public"
    """Everybody who may use the service can read it."""


class ProjectStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    """What belongs to it cannot be changed."""
    DELETED = "deleted"


class ProjectType(StrEnum):
    WEB = "web"
    MOBILE = "mobile"
    DESKTOP = "desktop"


_OF_A_TEAM = text("team_id IS NOT NULL AND NOT is_deleted")
_OF_A_PERSON = text("team_id IS NULL AND NOT is_deleted")


class Project(OwnedRow):
    """owner    who created it
    team_id  null: it belongs to its owner alone
    code     unique in its team, or among its owner's
    """

    __tablename__ = "projects"

    team_id: Mapped[str | None] = mapped_column(String(36), index=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    tech_stack: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    project_type: Mapped[str] = mapped_column(String(20), default=ProjectType.WEB.value)
    visibility: Mapped[str] = mapped_column(String(20), default=Visibility.PRIVATE.value)
    status: Mapped[str] = mapped_column(String(20), default=ProjectStatus.ACTIVE.value)
    storage_used_bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        one_of("project_type", ProjectType),
        one_of("visibility", Visibility),
        one_of("status", ProjectStatus),
        Index(
            "uq_projects_team_code",
            "team_id",
            "code",
            unique=True,
            sqlite_where=_OF_A_TEAM,
            postgresql_where=_OF_A_TEAM,
        ),
        Index(
            "uq_projects_owner_code",
            "owner",
            "code",
            unique=True,
            sqlite_where=_OF_A_PERSON,
            postgresql_where=_OF_A_PERSON,
        ),
    )


class ProjectRow(OwnedRow):
    """A row that belongs to a project, whose team's roles then say who reads and changes it; `owner` only
    tells who created it. Without a project it belongs to its owner."""

    __abstract__ = True

    project_id: Mapped[str | None] = mapped_column(String(36), index=True)
