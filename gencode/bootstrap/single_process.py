"""The backend of a single process: SQLite in DATA_DIR, and a queue and a hub in memory."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from gencode.auth.tickets import load_or_create_key
from gencode.bootstrap.backend import MessageTargets, OnPublish, WholeStore
from gencode.engine.paused_tasks import PausedTasksInMemory
from gencode.engine.ports.pipeline import Pipelines
from gencode.hub.in_process import InProcessHub
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.resilience.call_slots import SlotFactory, local_slots
from gencode.settings import Settings
from gencode.storage.data_dir_lock import check_not_moved, data_dir_lock
from gencode.storage.sqlite.store import open_sqlite


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
