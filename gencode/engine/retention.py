"""Deletes finished tasks and idempotency keys by age.

Unfinished tasks, and tasks whose callback has undelivered events, are never deleted. The usage of a deleted
task is added to usage totals, which are kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
import structlog

from gencode.domain.errors import StoreError
from gencode.domain.task import now
from gencode.engine.ports.retention_store import FinishedTask, RetentionStore

log = structlog.get_logger(__name__)

INTERVAL = 3600.0
"""Seconds between two runs."""
PAGE = 500
BATCH = 10
"""Tasks deleted in one transaction: their events and checkpoints may be tens of megabytes."""
PAUSE = 0.05
"""Seconds between two transactions, in which the store serves its other callers."""
KEY_BATCH = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionPolicy:
    """How long tasks and idempotency keys are kept. 0 days: for ever.

    days              days after a task's last change
    days_by_principal replaces `days` for these principals
    key_days          days after the submission with the idempotency key
    principals        only tasks of these principals are deleted; None: of all
    """

    days: float = 0
    days_by_principal: Mapping[str, float] = field(default_factory=dict)
    key_days: float = 0
    principals: Collection[str] | None = None

    def cutoff(self, at: datetime) -> datetime | None:
        """No task that was changed after this time is deleted, whoever owns it; None: no task is deleted at
        all."""
        days = [days for days in (self.days, *self.days_by_principal.values()) if days > 0]
        return at - timedelta(days=min(days)) if days else None

    def is_expired(self, task: FinishedTask, at: datetime) -> bool:
        if self.principals is not None and task.principal not in self.principals:
            return False
        days = self.days_by_principal.get(task.principal, self.days)
        return days > 0 and task.updated_at < at - timedelta(days=days)


@dataclass(slots=True)
class DeletedTasks:
    """The number and the size of the deleted tasks of one principal and kind."""

    tasks: int = 0
    bytes: int = 0


@dataclass(slots=True)
class RetentionReport:
    """What one run deleted, or would delete. `deleted`: tasks by principal and kind; `keys`: idempotency
    keys."""

    deleted: dict[tuple[str, str], DeletedTasks] = field(default_factory=dict)
    keys: int = 0

    @property
    def tasks(self) -> int:
        return sum(deleted.tasks for deleted in self.deleted.values())

    @property
    def bytes(self) -> int:
        return sum(deleted.bytes for deleted in self.deleted.values())

    def add(self, task: FinishedTask, size: int) -> None:
        deleted = self.deleted.setdefault((task.principal, task.kind), DeletedTasks())
        deleted.tasks += 1
        deleted.bytes += size


class Retention:
    """Applies a policy to a store.

    clock   returns the current time in UTC
    lock    held during each run: only one of the processes that share a store applies its policy
    """

    def __init__(
        self,
        store: RetentionStore,
        policy: RetentionPolicy,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        lock: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._lock = lock

    async def run(self) -> None:
        """Apply the policy every hour, until cancelled."""
        while True:
            try:
                async with self._lock():
                    report = await self.apply()
            except StoreError as error:
                log.warning("retention waits for the store", reason=error.message)
            else:
                if report.tasks or report.keys:
                    log.info(
                        "old tasks deleted",
                        tasks=report.tasks,
                        bytes=report.bytes,
                        idempotency_keys=report.keys,
                    )
            await self._sleep(INTERVAL)

    async def apply(self, *, dry_run: bool = False) -> RetentionReport:
        """Delete expired tasks and keys in small transactions; a dry run only counts them.

        Raises StoreError; what was deleted by then stays deleted.
        """
        at, report = self._clock(), RetentionReport()
        expired_keys = at - timedelta(days=self._policy.key_days) if self._policy.key_days > 0 else None
        if expired_keys:  # first: some of them are deleted with their tasks
            report.keys = await self._store.count_keys(expired_keys)
        if cutoff := self._policy.cutoff(at):
            await self._apply_to_tasks(cutoff, at, dry_run, report)
        if expired_keys and not dry_run:
            await self._delete_keys(expired_keys)
        return report

    async def _apply_to_tasks(
        self, cutoff: datetime, at: datetime, dry_run: bool, report: RetentionReport
    ) -> None:
        after = ""
        while page := await self._store.finished_tasks(cutoff, after, PAGE):
            after = page[-1].id
            expired = [task for task in page if self._policy.is_expired(task, at)]
            for batch in _batches(expired):
                await self._delete(batch, dry_run, report)
                await self._sleep(PAUSE)

    async def _delete(self, batch: Sequence[FinishedTask], dry_run: bool, report: RetentionReport) -> None:
        sizes = await self._store.task_sizes([task.id for task in batch])
        deleted = sizes if dry_run else await self._store.delete_tasks(batch)
        for task in batch:
            if task.id in deleted:
                report.add(task, sizes.get(task.id, 0))

    async def _delete_keys(self, expired: datetime) -> None:
        while await self._store.delete_keys(expired, KEY_BATCH):
            await self._sleep(PAUSE)


def _batches(tasks: Sequence[FinishedTask]) -> Iterator[Sequence[FinishedTask]]:
    return (tasks[start : start + BATCH] for start in range(0, len(tasks), BATCH))
