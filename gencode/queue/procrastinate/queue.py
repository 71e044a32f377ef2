"""The queue of several processes: jobs of procrastinate, each with the id of a task."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import structlog
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from gencode.domain.errors import StoreError
from gencode.engine.ports.fair_queue import Delivery, Handler, Undelivered
from gencode.queue.admission import check_place
from gencode.queue.procrastinate.connector import QueueConnector
from gencode.queue.procrastinate.job_writer import QUEUE, RUN_TASK, JobWriter
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts

log = structlog.get_logger(__name__)

SNAPSHOT_SECONDS = 1.0
"""Seconds between two counts of the queued tasks."""
RESTART_SECONDS = 1.0
"""Seconds before a worker that lost the database is restarted."""

_WAITING = (
    "SELECT args ->> 'principal' AS principal, count(*) AS count FROM procrastinate_jobs"
    " WHERE status = 'todo' AND queue_name = 'gencode' GROUP BY 1"
)
_LONGEST_WAIT = (
    "SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::float8 AS seconds,"
    " extract(epoch FROM clock_timestamp())::float8 AS now FROM procrastinate_events"
    " JOIN procrastinate_jobs AS job ON job.id = job_id"
    " WHERE type = 'deferred' AND status = 'todo' AND queue_name = 'gencode' AND attempts = 0"
)
"""Selects the longest wait of a job that no worker has had yet, and the time of the database's clock."""
_WORKERS = (
    "SELECT count(*) FILTER (WHERE fresh)::int AS alive, count(*) FILTER (WHERE NOT fresh)::int AS stale FROM"
    " (SELECT last_heartbeat > now() - make_interval(secs => %(stale)s) AS fresh FROM procrastinate_workers)"
    " AS workers"
)
_IS_ALIVE = (
    "SELECT 1 AS alive FROM procrastinate_workers WHERE id = %(worker)s"
    " AND last_heartbeat > now() - make_interval(secs => %(stale)s)"
)

RequestCancel = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Waiting:
    """What waited when it was counted last, and what this process has added since; the workers then."""

    counts: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    alive: int = 0
    stale: int = 0

    def total(self) -> int:
        return self.counts.total() + self.added.total()

    def of(self, principal: str) -> int:
        return self.counts[principal] + self.added[principal]


class _Redelivery(BaseRetryStrategy):
    """Every job that ends in an exception is delivered again.

    now   seconds since the epoch by the clock of the database, which compares the time: by the clock of a
          process that is wrong, the job would wait for hours, or not at all
    """

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds = seconds
        self._now = now

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision(retry_at=datetime.fromtimestamp(self._now() + self._seconds, UTC))


class ProcrastinateQueue:
    """See gencode.engine.ports.fair_queue.Queue and `open_queue`. Tasks are queued by `job_writer`, in the
    store's transactions.

    limit            most tasks that may wait, see gencode.queue.admission. It is checked against a count that
                     is a second old: several processes together may exceed it by what they accept in a second
    is_working       whether this process has a worker that takes jobs
    request_cancel   requests the process that runs a task to cancel it
    """

    def __init__(self, app: App, limit: int, timeouts: WorkerTimeouts, request_cancel: RequestCancel) -> None:
        self.job_writer = JobWriter(app.job_manager)
        self._app = app
        self._limit = limit
        self._timeouts = timeouts
        self._waiting = _Waiting()
        self._handler: Handler | None = None
        self.request_cancel = request_cancel
        self._clock_offset = 0.0
        self.is_working = False
        redelivery = _Redelivery(timeouts.stale, self.now)
        app.task(name=RUN_TASK, queue=QUEUE, pass_context=True, retry=redelivery)(self._run)

    def now(self) -> float:
        """Seconds since the epoch by the clock of the database, as it was read at the last count."""
        return time.time() + self._clock_offset

    # --- accepting ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._waiting.total()

    def __contains__(self, task_id: object) -> bool:
        return False

    @property
    def longest_wait(self) -> float:
        """Seconds since the oldest job that no worker has had was queued."""
        return self._waiting.seconds

    @property
    def workers(self) -> tuple[int, int]:
        """The numbers of workers of all processes: alive, and without a recent heartbeat."""
        return self._waiting.alive, self._waiting.stale

    @contextmanager
    def reserve(self, principal: str) -> Iterator[None]:
        check_place(self._limit, self._waiting.total(), self._waiting.of(principal))
        waiting = self._waiting
        waiting.added[principal] += 1
        try:
            yield
        except BaseException:
            waiting.added[principal] -= 1
            raise

    def put(self, task_id: str, principal: str) -> None: ...

    def put_first(self, task_id: str, principal: str) -> None: ...

    def remove(self, task_id: str) -> bool:
        return False

    async def watch(self) -> None:
        """Count what waits, until cancelled."""
        while True:
            try:
                await self._count()
            except ConnectorException:
                log.warning("the tasks that wait cannot be counted")
            await anyio.sleep(SNAPSHOT_SECONDS)

    async def _count(self) -> None:
        """Reservations that end meanwhile count in the old snapshot only."""
        rows = await self._app.connector.execute_query_all_async(_WAITING)
        oldest = await self._app.connector.execute_query_one_async(_LONGEST_WAIT)
        self._clock_offset = oldest["now"] - time.time()
        counts = Counter({row["principal"] or "": row["count"] for row in rows})
        workers = await self._app.connector.execute_query_one_async(_WORKERS, stale=self._timeouts.stale)
        self._waiting = _Waiting(counts=counts, seconds=oldest["seconds"], **workers)

    # --- working ------------------------------------------------------------------------------------

    async def work(self, handler: Handler, concurrency: int) -> None:
        """Restarts a worker that ended because the database was unreachable or the worker was declared
        dead."""
        self._handler = handler
        while True:
            try:
                await self._run_worker(concurrency)
            except Exception as error:
                log.warning("the worker has lost the database; it starts again", reason=str(error))
            await anyio.sleep(RESTART_SECONDS)

    async def _run_worker(self, concurrency: int) -> None:
        """When cancelled, it fetches no more jobs, lets running tasks end for `drain` seconds, and cancels
        the rest."""
        worker = Worker(
            self._app,
            queues=[QUEUE],
            concurrency=concurrency,
            fetch_job_polling_interval=self._timeouts.poll,
            shutdown_graceful_timeout=self._timeouts.drain,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=self._timeouts.heartbeat,
            stalled_worker_timeout=self._timeouts.stale,
        )
        running = asyncio.ensure_future(worker.run())  # type: ignore[no-untyped-call]
        self.is_working = True
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            worker.stop()  # type: ignore[no-untyped-call]
            with anyio.CancelScope(shield=True):
                await asyncio.wait([running])
            with suppress(Exception):
                running.result()  # else asyncio reports that nobody has
            raise
        finally:
            self.is_working = False

    async def _run(self, context: JobContext, task_id: str, principal: str) -> None:
        """A task that the end of the worker cancels is stored as queued, with a new job; if that cannot be
        stored, job recovery finds the task."""
        if self._handler is None:
            raise Undelivered
        try:
            await self._handler(Delivery(task_id=task_id, owner=str(context.job.worker_id)))
        except asyncio.CancelledError:
            if context.abort_reason() is None:
                raise

    async def is_alive(self, owner: str) -> bool:
        if not owner.isdecimal():
            return False
        try:
            found = await self._app.connector.execute_query_all_async(
                _IS_ALIVE, worker=int(owner), stale=self._timeouts.stale
            )
        except ConnectorException as error:
            raise StoreError("the workers cannot be read: try again in a moment") from error
        return bool(found)


@asynccontextmanager
async def open_app(dsn: str, direct: str = "") -> AsyncIterator[App]:
    """procrastinate. `direct`: the address without a pooler, if `dsn` has one. Raises ConnectorException."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)  # it reports each job; the service does
    app = App(connector=QueueConnector(dsn, direct or dsn))
    async with app.open_async():
        yield app
