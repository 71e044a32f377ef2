"""A task: one accepted request, and the only function that changes its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Where a task is; declared in the order a task goes through."""

    PENDING = "pending"
    """Accepted and stored; waits for a free place."""
    GENERATING = "generating"
    """The model plans the project and writes its files."""
    MERGING = "merging_files"
    """Pieces of cut files are joined and the whole tree is checked."""
    CREATING_REPO = "creating_repo"
    """The repository is created at the Git host, or our own of an earlier attempt is adopted."""
    PUSHING = "pushing"
    """The commit is pushed."""
    COMPLETED = "completed"
    """The repository holds the commit."""
    FAILED = "failed"
    """Over, with a code that says why."""
    CANCELLED = "cancelled"
    """Over, because its client said so."""

    @property
    def is_terminal(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


WORKING = tuple(s for s in Status if not s.is_terminal)


class IllegalTransition(ValueError):
    """A bug of ours: the status asked for cannot follow the present one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a task failed, as its client reads it."""

    code: str
    message: str
    retryable: bool
    stage: Status = Status.PENDING
    """What the task was doing then; `advance` writes it down. A retry goes on from there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """`request` is what was asked, `result` what is known so far (such as `repo_url`); both are JSON."""

    id: str
    kind: str
    client: str
    request: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    language: str = "en"
    status: Status = Status.PENDING
    message: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    paused_until: datetime | None = None
    """While it waits for a person's word, doing nothing: when it has waited long enough. Else None."""
    attempts: int = 0
    """Starts since the last progress that was kept; bounds crash loops."""
    sequence: int = 0
    """The id of the newest event in this task's log."""
    retries: Mapping[str, int] = field(default_factory=dict)
    """By the code of a failure, how often the task was taken up again after it."""
    trace: str = ""
    """W3C traceparent of the request that made it; its runs, in whichever process, continue that trace."""
    digest: str = ""
    """What its pipeline says that it was made from: tasks of equal digests had the same to do."""

    @property
    def is_idle(self) -> bool:
        """Nothing is to be done for it: it is over, or waits for a person's word."""
        return self.status.is_terminal or self.paused_until is not None


def advance(task: Task, status: Status, message: str, failure: Failure | None = None) -> Task:
    """The task in its next status. Raises IllegalTransition for a step that the state machine lacks.

    A task that leaves `failed` begins its count of attempts anew, and notes what it was taken up after.
    One that was held waits no more.
    """
    stage = task.failure.stage if task.failure else None
    if not may_follow(task.status, status, stage):
        raise IllegalTransition(f"{task.status} -> {status}")
    noted = replace(failure, stage=task.status) if failure else None
    taken_up = _taken_up(task) if task.status is Status.FAILED else task
    return replace(
        taken_up, status=status, message=message, failure=noted, paused_until=None, updated_at=now()
    )


def _taken_up(task: Task) -> Task:
    code = task.failure.code if task.failure else ""
    return replace(task, attempts=0, retries={**task.retries, code: task.retries.get(code, 0) + 1})


def may_follow(before: Status, after: Status, failed_in: Status | None = None) -> bool:
    """One step forward, or the end from anywhere but the end; only the last working stage may complete.
    From `failed` back to the stage that it failed in, and nowhere else."""
    if before is Status.FAILED:
        return after is failed_in
    if before.is_terminal:
        return False
    if after in (Status.FAILED, Status.CANCELLED):
        return True
    order = list(Status)
    return order.index(after) == order.index(before) + 1


def now() -> datetime:
    """The present moment in UTC, to the millisecond (what is stored is what is shown)."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def moment(at: datetime) -> str:
    """As events and answers show it: RFC 3339, with milliseconds and Z. `at` is in UTC."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
