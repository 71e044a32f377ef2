"""Runs one task through its stages, from the stage where its log ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter
from typing import Any

import anyio
import anyio.lowlevel
import structlog

from gencode.domain.errors import (
    ApprovalExpired,
    Conflict,
    CrashLoop,
    GencodeError,
    Internal,
    StoreError,
    TaskTimeout,
)
from gencode.domain.task import FINAL_STATUSES, PENDING, Failure
from gencode.engine.asyncio_cancellation import is_being_cancelled
from gencode.engine.ports.metrics import EngineMetrics
from gencode.engine.ports.pipeline import Artifact, Emit, Pause, Pipeline, Pipelines, Stage, StageUpdate
from gencode.engine.ports.store import Store
from gencode.engine.ports.tracing import NoopTracer, Tracer
from gencode.engine.task_log import TaskLog

log = structlog.get_logger(__name__)

COMPLETED, _, CANCELLED = FINAL_STATUSES


class TaskExecutor:
    """Runs stages and ends tasks. The task's kind must be one of `pipelines`.

    timeout       seconds that one run of a task may take (a run after a restart has its own)
    max_attempts  starts without a new checkpoint after which a task fails with CRASH_LOOP
    """

    def __init__(
        self,
        store: Store,
        pipelines: Pipelines,
        metrics: EngineMetrics,
        timeout: float,
        max_attempts: int = 5,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = store
        self.pipelines = pipelines
        self._metrics = metrics
        self._timeout = timeout
        self._max_attempts = max_attempts
        self._tracer = tracer or NoopTracer()

    async def run(self, task_log: TaskLog, owner: str = "") -> None:
        """Run the task until it is over or paused. `owner`: see Task.owner.

        Raises StoreError when the log cannot be written (try again later) and Conflict when another process
        writes the task (do not write it again). When cancelled it stops at once; checkpoints stay.
        """
        await task_log.reconcile()
        task = task_log.task
        if task.is_idle:
            return
        attributes = {"gencode.task.id": task.id, "gencode.task.kind": task.kind}
        with self._tracer.span(f"task {task.kind}", attributes, parent=task.trace) as span:
            await self._run(task_log, owner)
            task = task_log.task
            span.set({"gencode.task.status": task.status, "gencode.task.attempt": task.attempts})
            if task.failure:
                span.fail(task.failure.code)

    async def _run(self, task_log: TaskLog, owner: str) -> None:
        deadline = anyio.CancelScope(deadline=anyio.current_time() + self._timeout)
        try:
            with deadline:
                await self._run_stages(task_log, owner)
            if deadline.cancelled_caught and not task_log.task.is_idle:
                raise self._timed_out()
        except Exception as error:
            await anyio.lowlevel.checkpoint_if_cancelled()  # the process stops: that is why the stage raised
            cause = _cause(error)
            if deadline.cancel_called and not isinstance(cause, StoreError | Conflict):
                cause = self._timed_out()  # whatever the stage raised when it was cancelled
            await self._fail(task_log, cause)

    async def _run_stages(self, task_log: TaskLog, owner: str) -> None:
        pipeline = self._pipeline(task_log)
        await self._start(task_log, owner)
        artifact = await self._restore(pipeline, task_log)
        for stage in _remaining(pipeline, task_log.task.stage):
            if not stage.applies(artifact):
                continue
            await self._enter(pipeline, stage, task_log)
            with self._timed(stage):
                artifact = await _run_stage(stage, artifact, task_log.emit)
            if isinstance(artifact, Pause):
                await task_log.pause(artifact)
                return
        await task_log.succeed(pipeline.message(task_log.task, COMPLETED))

    async def _start(self, task_log: TaskLog, owner: str) -> None:
        if task_log.task.attempts >= self._max_attempts:
            raise CrashLoop(
                f"the service died {task_log.task.attempts} times while it worked on this task, which is "
                "given up so that others can run; see the log for the cause"
            )
        await task_log.start(owner)

    async def _restore(self, pipeline: Pipeline, task_log: TaskLog) -> Artifact:
        task = task_log.task
        request = {**await self._store.request(task.id), **task.parameters}
        return pipeline.restore(task, request, await self._store.checkpoints(task.id))

    async def _enter(self, pipeline: Pipeline, stage: Stage, task_log: TaskLog) -> None:
        if task_log.task.stage != stage.name:
            await task_log.enter(stage.name, pipeline.message(task_log.task, stage.name))

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        began = perf_counter()
        with (
            structlog.contextvars.bound_contextvars(stage=stage.name),
            self._tracer.span(f"stage {stage.name}"),
        ):
            yield
        self._metrics.stage_finished(stage.name, perf_counter() - began)

    # --- ending a task or queueing it again ----------------------------------------------------

    async def retry(self, task_log: TaskLog, changes: Mapping[str, Any]) -> None:
        """Queue a failed task again, in the stage where it failed."""
        task = task_log.task
        stage = (task.failure.stage if task.failure else "") or PENDING
        await task_log.retry(self._pipeline(task_log).message(task, stage), changes)

    async def approve(self, task_log: TaskLog, update: StageUpdate) -> None:
        """Queue a paused task again, in its stage."""
        task = task_log.task
        await task_log.approve(update, self._pipeline(task_log).message(task, task.status))

    async def expire(self, task_log: TaskLog, until: datetime) -> None:
        """Fail a task that is still paused with this deadline, which has passed."""
        await task_log.reconcile()
        if task_log.task.paused_until == until:
            expired = "nobody approved in time; retry the task to be asked again"
            await self._fail(task_log, ApprovalExpired(expired))

    async def cancel(self, task_log: TaskLog) -> None:
        """End a task whose run has ended, unless it is over."""
        await task_log.reconcile()
        if not task_log.task.state.is_terminal:
            message = self._pipeline(task_log).message(task_log.task, CANCELLED)
            await task_log.cancel(message, await self._final_updates(task_log))

    async def _fail(self, task_log: TaskLog, error: Exception) -> None:
        if isinstance(error, StoreError | Conflict):
            raise error
        known = error if isinstance(error, GencodeError) else _unexpected(error)
        failure = _failure(known)
        write = log.error if known.concerns_operator else log.warning
        write("task failed", code=known.code, reason=known.message, status=task_log.task.status)
        await task_log.fail(failure, await self._final_updates(task_log))

    async def _final_updates(self, task_log: TaskLog) -> Sequence[StageUpdate]:
        """The last updates of a task that ends without success. Unreadable checkpoints do not prevent its
        end."""
        task = task_log.task
        checkpoints = await self._store.checkpoints(task.id)
        try:
            return self._pipeline(task_log).final_updates(task, checkpoints)
        except Exception as error:
            log.error("what the task has used cannot be read", exc_info=error)
            return ()

    def _pipeline(self, task_log: TaskLog) -> Pipeline:
        return self.pipelines[task_log.task.kind]

    def _timed_out(self) -> TaskTimeout:
        return TaskTimeout(f"the task took longer than {self._timeout:g} s (TASK_TIMEOUT)")


def _remaining(pipeline: Pipeline, stage: str) -> Sequence[Stage]:
    """The stages still to run: all of them before the first was entered, else those from the current one
    on."""
    names = [one.name for one in pipeline.stages]
    return pipeline.stages[names.index(stage) if stage else 0 :]


async def _run_stage(stage: Stage, artifact: Artifact, emit: Emit) -> Artifact | Pause:
    try:
        return await stage.run(artifact, emit)
    except asyncio.CancelledError as error:
        if is_being_cancelled():
            raise
        # A future that the stage awaited was cancelled. If this propagated, the worker would end silently.
        raise RuntimeError("a stage raised CancelledError without having been cancelled") from error


def _cause(error: Exception) -> Exception:
    """The cause within a task group's ExceptionGroup: the StoreError, else the first known failure. Several
    of them are logged; a group with one is no more than this one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if not isinstance(error, ExceptionGroup):
        return error
    log.warning("several errors at once", exc_info=error)
    causes = [_cause(part) for part in error.exceptions]
    known = [cause for cause in causes if isinstance(cause, GencodeError)]
    refused = [cause for cause in known if isinstance(cause, StoreError | Conflict)]
    return next(iter(refused or known or causes))


def _failure(error: GencodeError) -> Failure:
    return Failure(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        retry_helps=error.retry_helps.value,
        retry_fields=error.retry_fields,
    )


def _unexpected(error: Exception) -> Internal:
    """A bug: the principal gets a reference, the log gets the traceback."""
    reference = secrets.token_hex(4)
    log.error("unexpected error", reference=reference, exc_info=error)
    return Internal(f"an unexpected error stopped the task; the log has it under reference {reference}")
