"""The table of proposals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.teams.tables import one_of


class ProposalStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    """The draft has had the proposed document."""
    REJECTED = "rejected"


class BlueprintProposal(OwnedRow):
    """owner         the principal whose task made it
    base_version  of the draft when the task read it, and `base`, its document then
    spec          the proposed document
    decided_by    the id of the principal who accepted or rejected it
    """

    __tablename__ = "blueprint_proposals"

    blueprint_id: Mapped[str] = mapped_column(String(36), index=True)
    task_id: Mapped[str] = mapped_column(String(36))
    status: Mapped[str] = mapped_column(String(20), default=ProposalStatus.PENDING.value)
    base_version: Mapped[int]
    base: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    spec: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    entities: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime | None]

    __table_args__ = (one_of("status", ProposalStatus),)
