"""The table of blueprints: a row is one version of a blueprint."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.projects.table import ProjectRow

_OF_A_PROJECT = text("project_id IS NOT NULL AND NOT is_deleted")


class BlueprintRow(ProjectRow):
    """spec         the document, each link declared once; lists do not read it
    version_tag  unique in its project
    is_draft     whether it can still be changed
    parent_id    the version that it was made from
    entities, errors, warnings  of the document: data models and findings
    """

    __tablename__ = "blueprints"

    version_tag: Mapped[str] = mapped_column(String(50))
    spec: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    is_draft: Mapped[bool] = mapped_column(default=True)
    parent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    entities: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index(
            "uq_blueprints_project_version",
            "project_id",
            "version_tag",
            unique=True,
            sqlite_where=_OF_A_PROJECT,
            postgresql_where=_OF_A_PROJECT,
        ),
    )
