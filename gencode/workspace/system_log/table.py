"""The table of the system log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base


class SystemLogEntry(Base):
    """position    in the order of storing
    at          when it happened
    level       WARNING, ERROR or CRITICAL
    module      the name of the logger
    task_id     of the task that it concerns, if any
    extra       the other fields of the line, secrets out
    """

    __tablename__ = "system_log"

    position: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    level: Mapped[str] = mapped_column(String(10), index=True)
    message: Mapped[str] = mapped_column(Text)
    module: Mapped[str] = mapped_column(String(100), index=True)
    task_id: Mapped[str | None] = mapped_column(String(36), index=True)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON)
