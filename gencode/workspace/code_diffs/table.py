"""The tables of code diffs and of their files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.tables import Base, now
from gencode.workspace.task_rows import TaskRows


class CompareType(StrEnum):
    BRANCH = "branch"
    """What the source has since it left the target, as a change request shows it."""
    COMMIT = "commit"
    """From the target to the source."""
    PATCH = "patch"
    """An uploaded patch."""


class DiffStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


def _values(values: type[StrEnum]) -> str:
    return ", ".join(f"'{value.value}'" for value in values)


class CodeDiff(OwnedRow):
    """repository_id, source_ref, target_ref   null for a patch
    syncs           whether the repository is synced first
    *_commit        what the refs were; base_commit: from which the changes are, null: from nothing
    files, added, deleted   changed files and lines
    commits         of a patch
    task_id         of the task that compares; task_version: see TaskRows
    """

    __tablename__ = "code_diffs"

    repository_id: Mapped[str | None] = mapped_column(String(36), index=True)
    compare_type: Mapped[str] = mapped_column(String(20))
    source_ref: Mapped[str | None] = mapped_column(String(255))
    target_ref: Mapped[str | None] = mapped_column(String(255))
    syncs: Mapped[bool] = mapped_column(default=False)
    source_commit: Mapped[str | None] = mapped_column(String(40))
    target_commit: Mapped[str | None] = mapped_column(String(40))
    base_commit: Mapped[str | None] = mapped_column(String(40))
    files: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    commits: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20), default=DiffStatus.PENDING.value)
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(60))
    task_id: Mapped[str | None] = mapped_column(String(36))
    task_version: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"compare_type IN ({_values(CompareType)})", name="compare_type"),
        CheckConstraint(f"status IN ({_values(DiffStatus)})", name="status"),
    )


class CodeDiffFile(Base):
    """One changed file. `position`: from 0. `content`: a StoredFile as JSON, deflated."""

    __tablename__ = "code_diff_files"

    diff_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


DIFF_TASKS = TaskRows(
    table=CodeDiff,
    open=(DiffStatus.PENDING.value, DiffStatus.RUNNING.value),
    failed=DiffStatus.FAILED.value,
    owned=lambda principal: CodeDiff.owner == principal,
    more=lambda: {"completed_at": now(), "updated_at": CodeDiff.updated_at},
)
