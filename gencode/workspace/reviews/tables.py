"""The tables of reviews."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.tables import Base, Row


class StoredStatus(StrEnum):
    """`gone`: its line has left the change, or was changed."""

    OPEN = "open"
    GONE = "gone"
    IGNORED = "ignored"


class ReviewSubject(Row, Base):
    """What is reviewed again and again.

    owner    the id of a principal
    task_id  of the last review; ids of tasks grow with time
    lines    the lines that the last review has seen, compressed
    """

    __tablename__ = "review_subjects"

    owner: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    task_id: Mapped[str] = mapped_column(String(36))
    lines: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("uq_review_subjects_subject", "owner", "subject", unique=True),)


class ReviewFinding(Row, Base):
    """A finding of a subject. Its id follows from owner, subject and identity.

    finding   the whole finding as JSON, as the last review has told it
    reason    why a user ignores it
    task_id   of the last review that has stored it; first_task_id: of the one that found it
    """

    __tablename__ = "review_findings"

    owner: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    identity: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    path: Mapped[str] = mapped_column(Text)
    line: Mapped[int | None]
    severity: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(Text)
    finding: Mapped[str] = mapped_column(Text)
    first_task_id: Mapped[str] = mapped_column(String(36))
    task_id: Mapped[str] = mapped_column(String(36))

    __table_args__ = (
        CheckConstraint("status IN ('open', 'gone', 'ignored')", name="status"),
        Index("ix_review_findings_subject", "owner", "subject", "status"),
    )


class ReviewedHunk(Row, Base):
    """A hunk that was reviewed. `key`: a digest of all that shapes the answer; `findings`: JSON."""

    __tablename__ = "reviewed_hunks"

    owner: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(64))
    findings: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("uq_reviewed_hunks_key", "owner", "key", unique=True),
        Index("ix_reviewed_hunks_created_at", "owner", "created_at"),
    )
