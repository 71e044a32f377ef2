"""The table of generations, which are counted by month."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base, Row


class Generation(Row, Base):
    """A generation that a plan counts. `id`: of its task.

    subject    whose plan counts it: a principal, or team:ID
    month      such as 2026-11 (UTC)
    is_stored  whether the task is known to be stored; else a process may have ended in the middle of its
               submission
    """

    __tablename__ = "generations"

    subject: Mapped[str] = mapped_column(String(200))
    month: Mapped[str] = mapped_column(String(7))
    project_id: Mapped[str | None] = mapped_column(String(36), index=True)
    is_stored: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("ix_generations_subject_month", "subject", "month"),)
