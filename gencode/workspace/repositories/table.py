"""The table of Git repositories."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.task_rows import TaskRows


class SyncStatus(StrEnum):
    PENDING = "pending"
    SYNCING = "syncing"
    SUCCESS = "success"
    FAILED = "failed"


_STATUSES = ", ".join(f"'{status.value}'" for status in SyncStatus)


class GitRepository(OwnedRow):
    """branch          that is meant where none is named; null: the host's default branch
    credential_id   null: the owner's default credential of this host, if there is one
    is_local        it is on the local forge, wherever that listens now
    sync_*          of the last sync; the task that did it, and its version: see TaskRows
    default_branch, head_commit   as the last sync that succeeded found them; head_commit is that of `branch`
    branches        JSON: [[name, commit], ...]
    size_bytes      of the clone
    """

    __tablename__ = "git_repositories"

    repository_url: Mapped[str] = mapped_column(String(1000))
    branch: Mapped[str | None] = mapped_column(String(255))
    credential_id: Mapped[str | None] = mapped_column(String(36), index=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_local: Mapped[bool] = mapped_column(default=False)
    sync_status: Mapped[str] = mapped_column(String(20), default=SyncStatus.PENDING.value)
    sync_error: Mapped[str | None] = mapped_column(Text)
    sync_error_code: Mapped[str | None] = mapped_column(String(60))
    sync_task_id: Mapped[str | None] = mapped_column(String(36))
    sync_task_version: Mapped[int] = mapped_column(default=0)
    last_sync_at: Mapped[datetime | None]
    default_branch: Mapped[str | None] = mapped_column(String(255))
    head_commit: Mapped[str | None] = mapped_column(String(40))
    branches: Mapped[str | None] = mapped_column(Text, deferred=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (CheckConstraint(f"sync_status IN ({_STATUSES})", name="sync_status"),)


SYNC_TASKS = TaskRows(
    table=GitRepository,
    open=(SyncStatus.PENDING.value, SyncStatus.SYNCING.value),
    is_made_for_task=False,
    failed=SyncStatus.FAILED.value,
    owned=lambda principal: GitRepository.owner == principal,
    task="sync_task_id",
    version="sync_task_version",
    status="sync_status",
    code="sync_error_code",
    text="sync_error",
    more=lambda: {"updated_at": GitRepository.updated_at},
)
