"""Takes one task through its stages, from wherever its journal left off."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import anyio
import structlog

from gencode.domain.errors import ApprovalExpired, CrashLoop, GencodeError, Internal, StoreError, TaskTimeout
from gencode.domain.task import Failure, Status
from gencode.engine.pipeline import Artifact, Emit, Pause, Pipeline, Stage, StageUpdate
from gencode.engine.store import Store
from gencode.engine.task_log import TaskLog
from gencode.engine.tracing import NoopTracer, Tracer
from gencode.observability.metrics import Metrics

log = structlog.get_logger(__name__)


class TaskExecutor:
    """The only caller of Journal.advance.

    timeout       seconds that one run of a task may take (a run after a restart has its own)
    max_attempts  starts without any kept progress, after which a task is given up as CRASH_LOOP
    """

    def __init__(
        self,
        store: Store,
        pipelines: Sequence[Pipeline],
        metrics: Metrics,
        timeout: float,
        max_attempts: int = 5,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = store
        self._pipelines: Mapping[str, Pipeline] = {pipeline.kind: pipeline for pipeline in pipelines}
        self._metrics = metrics
        self._timeout = timeout
        self._max_attempts = max_attempts
        self._tracer = tracer or NoopTracer()

    def pipeline(self, kind: str) -> Pipeline:
        return self._pipelines[kind]

    async def run(self, task_log: TaskLog) -> None:
        """Work until the task is over or held. Raises StoreError when its log cannot be written: try again
        later.

        Cancelled from outside, it stops at once; what was kept stays kept.
        """
        await task_log.reconcile()
        task = task_log.task
        if task.is_idle:
            return
        about = {"gencode.task.id": task.id, "gencode.task.kind": task.kind}
        with self._tracer.span(f"task {task.kind}", about, parent=task.trace) as span:
            await self._run(task_log)
            task = task_log.task
            span.set(
                {
                    "gencode.task.status": task.status.value,
                    "gencode.task.attempt": task.attempts,
                }
            )
            if task.failure:
                span.fail(task.failure.code)

    async def _run(self, task_log: TaskLog) -> None:
        deadline = anyio.CancelScope(deadline=anyio.current_time() + self._timeout)
        try:
            with deadline:
                await self._stages(task_log)
            if deadline.cancelled_caught and not task_log.task.is_idle:
                raise self._too_late()
        except Exception as error:
            cause = _cause(error)
            if deadline.cancel_called and not isinstance(cause, StoreError):  # what a stage died of then
                cause = self._too_late()
            await self._fail(task_log, cause)

    async def retry(self, task_log: TaskLog, changes: Mapping[str, Any] | None = None) -> None:
        """Take a failed task back to the stage in which it failed, with `changes` to its request."""
        task = task_log.task
        stage = task.failure.stage if task.failure else Status.PENDING
        message = self.pipeline(task.kind).message(task, stage)
        await task_log.advance(stage, message, changes=changes)

    async def approve(self, task_log: TaskLog, progress: StageUpdate) -> None:
        """Let a held task go on, in its status."""
        task = task_log.task
        await task_log.approve(progress, self.pipeline(task.kind).message(task, task.status))

    async def expire(self, task_log: TaskLog) -> None:
        """End a held task for which nobody had a word in time."""
        await task_log.reconcile()
        if task_log.task.paused_until:
            waited = "nobody approved in time; retry the task to be asked again"
            await self._fail(task_log, ApprovalExpired(waited))

    async def cancel(self, task_log: TaskLog) -> None:
        """End a task because its client said so, unless it is over; nothing of it runs any more."""
        await task_log.reconcile()
        if not task_log.task.status.is_terminal:
            message = self.pipeline(task_log.task.kind).message(task_log.task, Status.CANCELLED)
            try:
                await task_log.advance(Status.CANCELLED, message)
            except StoreError:
                await task_log.reconcile()
                if not task_log.task.status.is_terminal:
                    raise

    async def _stages(self, task_log: TaskLog) -> None:
        pipeline = self.pipeline(task_log.task.kind)
        await self._start(task_log)
        artifact: Artifact = pipeline.restore(task_log.task, await self._store.checkpoints(task_log.task.id))
        for stage in _remaining(pipeline, task_log.task.status):
            if task_log.task.status is not stage.status:
                await task_log.advance(stage.status, pipeline.message(task_log.task, stage.status))
            with self._timed(stage):
                artifact = await _run(stage, artifact, task_log.send)
            if isinstance(artifact, Pause):
                await task_log.hold(artifact)
                return
        await task_log.advance(Status.COMPLETED, pipeline.message(task_log.task, Status.COMPLETED))

    def _too_late(self) -> TaskTimeout:
        return TaskTimeout(f"the task took longer than {self._timeout:g} s (TASK_TIMEOUT)")

    async def _start(self, task_log: TaskLog) -> None:
        if task_log.task.attempts >= self._max_attempts:
            raise CrashLoop(
                f"the service died {task_log.task.attempts} times while it worked on this task, which is "
                "given up so that others can run; see the log for the cause"
            )
        await task_log.start()

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        began = perf_counter()
        with (
            structlog.contextvars.bound_contextvars(stage=str(stage.status)),
            self._tracer.span(f"stage {stage.status}"),
        ):
            yield
        self._metrics.stage_seconds.labels(stage.status).observe(perf_counter() - began)

    async def _fail(self, task_log: TaskLog, error: Exception) -> None:
        if isinstance(error, StoreError):
            raise error
        known = error if isinstance(error, GencodeError) else _unexpected(error)
        failure = Failure(code=known.code, message=known.message, retryable=known.retryable)
        log.error("task failed", code=known.code, reason=known.message, status=task_log.task.status)
        await task_log.advance(Status.FAILED, known.message, failure)


def _remaining(pipeline: Pipeline, status: Status) -> Sequence[Stage]:
    """The stages still to run: all for a pending task, else from the one that it was in."""
    reached = [n for n, stage in enumerate(pipeline.stages) if stage.status is status]
    return pipeline.stages[reached[0] if reached else 0 :]


async def _run(stage: Stage, artifact: Artifact, send: Emit) -> Artifact | Pause:
    try:
        return await stage(artifact, send)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # A cancelled future that somebody awaited: let through, it would end our worker without a word.
        raise RuntimeError("the stage was cancelled by nobody") from error


def _cause(error: Exception) -> Exception:
    """What a group (of a stage's task group) comes to: the store's refusal, else the first known failure."""
    if not isinstance(error, ExceptionGroup):
        return error
    log.warning("several errors at once", exc_info=error)
    causes = [_cause(part) for part in error.exceptions]
    known = [cause for cause in causes if isinstance(cause, GencodeError)]
    refused = [cause for cause in known if isinstance(cause, StoreError)]
    return next(iter(refused or known or causes))


def _unexpected(error: Exception) -> Internal:
    """A bug: the client gets a reference, the log gets the trace."""
    reference = secrets.token_hex(4)
    log.error("unexpected error", reference=reference, exc_info=error)
    return Internal(f"an unexpected error stopped the task; the log has it under reference {reference}")
