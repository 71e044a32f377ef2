"""The table of template sets: a row is one version of a set."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.projects.table import ProjectRow
from gencode.workspace.teams.tables import one_of

_OF_A_PROJECT = text("project_id IS NOT NULL AND NOT is_deleted")
_OF_A_PERSON = text("project_id IS NULL AND NOT is_deleted")


class ProofStatus(StrEnum):
    DRAFT = "draft"
    """It was not tried on the corpus yet."""
    PROVEN = "proven"
    REJECTED = "rejected"


class TemplateSetRow(ProjectRow):
    """code, version_tag  name and version of its manifest; unique among its owner's, or in its project
    content              manifest and files, never changed; lists do not read it
    sha256, files, bytes of the content
    findings             of the last proof
    previous_id          the version that it was made from
    """

    __tablename__ = "template_sets"

    code: Mapped[str] = mapped_column(String(50), index=True)
    version_tag: Mapped[str] = mapped_column(String(20))
    framework: Mapped[str] = mapped_column(String(50), default="")
    category: Mapped[str] = mapped_column(String(50), default="")
    description: Mapped[str] = mapped_column(String(2000), default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    content: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[int]
    bytes: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), default=ProofStatus.DRAFT.value)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    is_public: Mapped[bool] = mapped_column(default=False)
    previous_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (
        one_of("status", ProofStatus),
        Index(
            "uq_template_sets_project_version",
            "project_id",
            "code",
            "version_tag",
            unique=True,
            sqlite_where=_OF_A_PROJECT,
            postgresql_where=_OF_A_PROJECT,
        ),
        Index(
            "uq_template_sets_owner_version",
            "owner",
            "code",
            "version_tag",
            unique=True,
            sqlite_where=_OF_A_PERSON,
            postgresql_where=_OF_A_PERSON,
        ),
    )
