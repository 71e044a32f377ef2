"""The backend of several processes, which share store, queue, hub and limits through PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import anyio
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from gencode.bootstrap.application_name import process_name
from gencode.bootstrap.backend import MessageTargets, OnPublish
from gencode.bootstrap.process_roles import Role
from gencode.domain.callback import NOTIFIED_EVENTS
from gencode.domain.errors import StoreError, StoreUnusable
from gencode.domain.event import Event
from gencode.engine.orphan_sweeper import OrphanRecovery
from gencode.engine.paused_tasks import PausedTasksInStore
from gencode.engine.ports.named_locks import NamedLocks
from gencode.engine.ports.pipeline import Pipelines
from gencode.engine.ports.rate_window import RateWindow
from gencode.hub.postgres.hub import PostgresHub
from gencode.hub.postgres.notifications import PostgresNotifications
from gencode.llm.progress_broadcast import ProgressBroadcast
from gencode.observability.metrics import Metrics
from gencode.queue.procrastinate.job_recovery import JobRecovery
from gencode.queue.procrastinate.queue import ProcrastinateQueue, open_app
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts
from gencode.resilience.call_slots import SlotFactory
from gencode.settings import Settings
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.postgres.call_slots import SharedSlots
from gencode.storage.postgres.process_lock import process_lock
from gencode.storage.postgres.rate_window import open_rate_window
from gencode.storage.postgres.signing_keys import shared_keys
from gencode.storage.postgres.statement_runner import open_statement_runner
from gencode.storage.postgres.store import PostgresStore, open_postgres

CANCEL = "cancel"
"""The control message that asks the process that runs a task to cancel it."""
CALLBACK = "callback"
"""The control message that tells processes that deliver callbacks that one is due."""
PROGRESS = "gencode_progress"
"""The channel of the measured progress of running tasks."""
LEASE_ATTEMPTS = 4
"""A callback is claimed for this number of attempts, each as long as the webhook timeout allows."""


SIGNING_KEYS = ("ticket", "webhook", "session", "audit")


class NoRecovery:
    """The OrphanRecovery of a process without workers, which does nothing: the workers recover orphans."""

    async def recover(self) -> None: ...

    async def run(self) -> None: ...

    def request(self) -> None: ...


class Cluster:
    """See gencode.bootstrap.backend.Backend and `open_cluster`."""

    def __init__(
        self,
        settings: Settings,
        role: Role,
        app: App,
        store: PostgresStore,
        queue: ProcrastinateQueue,
        notifications: PostgresNotifications,
        keys: Mapping[str, bytes],
        shared_slots: SharedSlots,
        rate_window: RateWindow,
    ) -> None:
        self.store = store
        self.queue = queue
        self.paused = PausedTasksInStore(store, settings.max_paused_tasks)
        self._role = role
        self._app = app
        self._timeouts = WorkerTimeouts(stale=settings.worker_stale_seconds)
        self._notifications = notifications
        self._keys = keys
        self._shared_slots = shared_slots
        self.slots: SlotFactory = shared_slots.slots
        self.locks: NamedLocks = shared_slots
        self.rate_window = rate_window
        self._hub: PostgresHub | None = None
        self._recovery: JobRecovery | None = None
        self.callback_lease = LEASE_ATTEMPTS * settings.webhook_timeout
        queue.request_cancel = self._request_cancel

    def now(self) -> float:
        return self.queue.now()

    def signing_key(self, name: str) -> bytes:
        return self._keys[name]

    def hub(self, on_publish: OnPublish) -> PostgresHub:
        def published(events: Sequence[Event]) -> None:
            on_publish(events)
            if not self._role.works and any(event.kind in NOTIFIED_EVENTS for event in events):
                hub.send_control(CALLBACK, events[0].task_id)

        hub = self._hub = PostgresHub(self.store, self._notifications, published, self._role.serves)
        return hub

    def recovery(self, pipelines: Pipelines) -> OrphanRecovery:
        if not self._role.works:
            return NoRecovery()
        self._recovery = JobRecovery(self._app, self.store, pipelines, self._timeouts)
        return self._recovery

    def measure(self, metrics: Metrics) -> None:
        queue, recovery, notifications = self.queue, self._recovery, self._notifications
        metrics.gauge("gencode_workers_alive", "Workers of all processes.", lambda: queue.workers[0])
        metrics.gauge("gencode_workers_stale", "Those without a recent heartbeat.", lambda: queue.workers[1])
        metrics.gauge(
            "gencode_listening", "1: notifications arrive; 0: polling.", lambda: notifications.is_listening
        )
        metrics.count(
            "gencode_rescued_jobs", "Jobs of dead workers.", lambda: recovery.rescued if recovery else 0
        )
        metrics.count(
            "gencode_swept_tasks", "Tasks that had lost their job.", lambda: recovery.swept if recovery else 0
        )

    async def check(self) -> None:
        await self.store.check_writable()
        if self._role.works and not self.queue.is_working:
            raise StoreError("the worker does not run: it waits for the database")

    @asynccontextmanager
    async def running(self, parts: MessageTargets) -> AsyncIterator[None]:
        if self._hub is None:
            raise RuntimeError("the hub is made first")
        self._hub.on_control = partial(_handle_control_message, parts)
        reports = ProgressBroadcast(parts.progress, self._send_progress)
        self._notifications.handlers[PROGRESS] = reports.receive
        async with self._notifications.running(), anyio.create_task_group() as group:
            for run in (self._hub.run, reports.run, self.queue.watch, self._shared_slots.run):
                group.start_soon(run)
            yield
            group.cancel_scope.cancel()

    def _send_progress(self, text: str, task_id: str) -> None:
        self._notifications.send(PROGRESS, text, key=task_id)

    async def _request_cancel(self, task_id: str) -> None:
        if self._hub:
            self._hub.send_control(CANCEL, task_id)


def _handle_control_message(parts: MessageTargets, command: str, task_id: str) -> None:
    """Handles a control message of another process; ignores commands of newer versions."""
    if command == CANCEL:
        parts.task_service.cancel_here(task_id)
    elif command == CALLBACK:
        parts.wake_dispatcher()


@asynccontextmanager
async def open_cluster(settings: Settings, role: Role, has_local_forge: bool) -> AsyncIterator[Cluster]:
    """Creates or migrates the tables. Raises StartError."""
    dsn, direct = settings.database_url.get_secret_value(), settings.database_direct_url.get_secret_value()
    timeouts = WorkerTimeouts(stale=settings.worker_stale_seconds)
    notifications = PostgresNotifications(dsn, direct)
    folder = data_dir_lock(settings.data_dir) if has_local_forge else nullcontext()
    async with open_postgres(dsn):  # makes its tables, which the queue's come after
        await migrate_queue(dsn)
        keys = await shared_keys(dsn, SIGNING_KEYS)
    try:
        with folder:
            async with (
                process_lock(direct or dsn, has_local_forge, process_name(settings, role)),
                open_app(dsn, direct) as app,
            ):
                queue = ProcrastinateQueue(app, settings.max_waiting_tasks, timeouts, _no_cancel_target)
                async with (
                    open_postgres(dsn, queue.job_writer) as store,
                    open_statement_runner(dsn) as run,
                    open_rate_window(dsn) as rate,
                ):
                    slots = SharedSlots(run, settings.worker_stale_seconds)
                    yield Cluster(settings, role, app, store, queue, notifications, keys, slots, rate)
    except ConnectorException as error:
        raise StoreUnusable("the queue's database cannot be reached: check DATABASE_URL") from error


async def _no_cancel_target(task_id: str) -> None:
    """A placeholder until the hub exists, by which requests to cancel are sent."""
