"""The backend of the service: its store, queue and hub; here those of one process, on SQLite.

`gencode.bootstrap.cluster` has the backend of several processes, on PostgreSQL.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from gencode.auth.tickets import load_or_create_key
from gencode.domain.event import Event
from gencode.engine.orphan_sweeper import OrphanRecovery
from gencode.engine.paused_tasks import PausedTasksInMemory
from gencode.engine.ports.callback_outbox import Outbox
from gencode.engine.ports.fair_queue import Queue
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.named_locks import NamedLocks
from gencode.engine.ports.paused_tasks import PausedTasks
from gencode.engine.ports.pipeline import Pipelines
from gencode.engine.ports.rate_window import RateWindow
from gencode.engine.ports.retention_store import RetentionStore
from gencode.engine.ports.store import Store
from gencode.engine.quota import UsageStore
from gencode.engine.service import TaskService
from gencode.hub.in_process import InProcessHub
from gencode.llm.task_progress import ProgressRegistry
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.resilience.call_slots import SlotFactory, local_slots
from gencode.settings import Settings
from gencode.storage.data_dir_lock import check_not_moved, data_dir_lock
from gencode.storage.sqlite.store import open_sqlite

OnPublish = Callable[[Sequence[Event]], None]


class WholeStore(Store, Outbox, RetentionStore, UsageStore, Protocol):
    """Everything that a database stores for the service."""


class MeasuredQueue(Queue, Protocol):
    @property
    def longest_wait(self) -> float:
        """Seconds since the oldest task that waits was queued."""
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
    """The store, and what delivers tasks and events.

    paused   the paused tasks
    """

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
        """To be called once. `on_publish`: see InProcessHub."""
        ...

    def recovery(self, pipelines: Pipelines) -> OrphanRecovery | None:
        """Recovers orphans; None: the service's own sweeper."""
        ...

    @property
    def slots(self) -> SlotFactory:
        """Makes the limits of calls to accounts at models and Git hosts."""
        ...

    @property
    def locks(self) -> NamedLocks | None:
        """Shared by the processes of the store; None: there is one process."""
        ...

    @property
    def rate_window(self) -> RateWindow | None:
        """Counts the submissions of all processes; None: there is one."""
        ...

    def measure(self, metrics: Metrics) -> None:
        """Add the metrics of this backend. To be called once, after `hub` and `recovery`."""
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


class SingleProcess:
    """See Backend and `open_single_process`."""

    def __init__(self, settings: Settings, store: WholeStore) -> None:
        self._data_dir = settings.data_dir
        self.store = store
        self.queue = FairQueue(settings.max_waiting_tasks)
        self.paused = PausedTasksInMemory(settings.max_paused_tasks)
        self.slots: SlotFactory = local_slots
        self.locks = None
        self.rate_window = None
        self.callback_lease = None
        self.now = time.time

    def signing_key(self, name: str) -> bytes:
        return load_or_create_key(self._data_dir / f"{name}.key")

    def hub(self, on_publish: OnPublish) -> InProcessHub:
        return InProcessHub(self.store, on_publish)

    def recovery(self, pipelines: Pipelines) -> None:
        return None

    def measure(self, metrics: Metrics) -> None: ...

    async def check(self) -> None:
        await self.store.check_writable()

    def running(self, parts: MessageTargets) -> AbstractAsyncContextManager[None]:
        return nullcontext()


@asynccontextmanager
async def open_single_process(settings: Settings) -> AsyncIterator[SingleProcess]:
    """Raises StartError, also when another process has DATA_DIR, or its tasks are in PostgreSQL."""
    with data_dir_lock(settings.data_dir):
        check_not_moved(settings.data_dir)
        async with open_sqlite(settings.data_dir / "gencode.db") as store:
            yield SingleProcess(settings, store)
