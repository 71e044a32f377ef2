"""The table of deployment configs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.projects.table import ProjectRow
from gencode.workspace.tables import UtcDateTime
from gencode.workspace.teams.tables import one_of

_PRESENT = text("NOT is_deleted")


class DeploymentStatus(StrEnum):
    """As people, or what deploys, have told it."""

    IDLE = "idle"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"


class DeploymentConfig(ProjectRow):
    """env_name          such as `production`; unique in its project
    config_data       see `config.EnvironmentConfig`
    secrets_encrypted  names and values, as one text
    secrets_names     their names, sorted
    """

    __tablename__ = "deployments"

    env_name: Mapped[str] = mapped_column(String(50))
    config_data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    secrets_encrypted: Mapped[str | None] = mapped_column(Text)
    secrets_names: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(20), default=DeploymentStatus.IDLE.value)
    deployed_version: Mapped[str | None] = mapped_column(String(50))
    deployed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    __table_args__ = (
        one_of("status", DeploymentStatus),
        Index(
            "uq_deployments_project_env",
            "project_id",
            "env_name",
            unique=True,
            sqlite_where=_PRESENT,
            postgresql_where=_PRESENT,
        ),
    )
