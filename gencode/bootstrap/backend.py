"""The interface of a backend: the store, queue and hub of the service.

`gencode.bootstrap.single_process` implements it for one process, on SQLite; `gencode.bootstrap.cluster` for
several processes, on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gencode.domain.event import Event
from gencode.engine.orphan_sweeper import OrphanRecovery
from gencode.engine.ports.callback_outbox import Outbox
from gencode.engine.ports.fair_queue import Queue
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.named_locks import NamedLocks
from gencode.engine.ports.paused_tasks import PausedTasks
from gencode.engine.ports.pipeline import Pipelines
from gencode.engine.ports.rate_window import RateWindow
from gencode.engine.ports.retention_store import RetentionStore
from gencode.engine.ports.store import Store
from gencode.engine.quota_usage import UsageStore
from gencode.engine.service import TaskService
from gencode.llm.progress_tracker import ProgressRegistry
from gencode.observability.metrics import Metrics
from gencode.resilience.call_slots import SlotFactory

OnPublish = Callable[[Sequence[Event]], None]


class WholeStore(Store, Outbox, RetentionStore, UsageStore, Protocol):
    """Everything that a database stores for the service."""


class MeasuredQueue(Queue, Protocol):
    @property
    def longest_wait(self) -> float:
        """Seconds since the oldest waiting task was queued."""
        ...


class MeasuredHub(Hub, Protocol):
    @property
    def subscribers(self) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageTargets:
    """The receivers of messages from other processes.

    wake_dispatcher   called when callbacks may be due
    """

    task_service: TaskService
    wake_dispatcher: Callable[[], None]
    progress: ProgressRegistry


class Backend(Protocol):
    """The store, and the parts that deliver tasks and events."""

    @property
    def store(self) -> WholeStore: ...

    @property
    def queue(self) -> MeasuredQueue: ...

    @property
    def paused(self) -> PausedTasks: ...

    def signing_key(self, name: str) -> bytes:
        """A persistent secret that all processes share, created on first use."""
        ...

    def hub(self, on_publish: OnPublish) -> MeasuredHub:
        """Creates the hub; to be called once. `on_publish`: see InProcessHub."""
        ...

    def recovery(self, pipelines: Pipelines) -> OrphanRecovery | None:
        """Recovers orphaned tasks; None for the sweeper of the service."""
        ...

    @property
    def slots(self) -> SlotFactory:
        """Creates the limiters of calls to models and Git hosts."""
        ...

    @property
    def locks(self) -> NamedLocks | None:
        """Locks that the processes of the store share. None if single-process."""
        ...

    @property
    def rate_window(self) -> RateWindow | None:
        """Counts the submissions of all processes. None if single-process."""
        ...

    def measure(self, metrics: Metrics) -> None:
        """Adds the metrics of this backend. To be called once, after `hub` and `recovery`."""
        ...

    async def check(self) -> None:
        """Raises StoreError unless the store accepts writes and the worker, if the process has one, runs."""
        ...

    def now(self) -> float:
        """Seconds since the epoch, by a clock that all processes share."""
        ...

    @property
    def callback_lease(self) -> float | None:
        """See NotificationDispatcher."""
        ...

    def running(self, parts: MessageTargets) -> AbstractAsyncContextManager[None]:
        """Runs background work, which outlasts the task service. Call `hub` before."""
        ...
