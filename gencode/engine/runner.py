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

from gencode.engine.journal import Journal
from gencode.errors import ApprovalExpired, CrashLoop, GencodeError, Internal, StoreError, TaskTimeout
from gencode.metrics import Metrics
from gencode.pipeline import Artifact, Hold, Pipeline, Progress, Send, Stage
from gencode.store import Store
from gencode.task import Failure, Status
from gencode.trace import Tracer, Untraced

log = structlog.get_logger(__name__)


class Runner:
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
        self._tracer = tracer or Untraced()

    def pipeline(self, kind: str) -> Pipeline:
        return self._pipelines[kind]

    async def run(self, journal: Journal) -> None:
        """Work until the task is over or held. Raises StoreError when its log cannot be written: try again
        later.

        Cancelled from outside, it stops at once; what was kept stays kept.
        """
        await journal.settle()
        task = journal.task
        if task.rests:
            return
        about = {"gencode.task.id": task.id, "gencode.task.kind": task.kind}
        with self._tracer.span(f"task {task.kind}", about, parent=task.trace) as span:
            await self._run(journal)
            task = journal.task
            span.set({"gencode.task.status": task.status.value, "gencode.task.attempt": task.attempts})
            if task.failure:
                span.fail(task.failure.code)

    async def _run(self, journal: Journal) -> None:
        deadline = anyio.CancelScope(deadline=anyio.current_time() + self._timeout)
        try:
            with deadline:
                await self._stages(journal)
            if deadline.cancelled_caught and not journal.task.rests:
                raise self._too_late()
        except Exception as error:
            cause = _cause(error)
            if deadline.cancel_called and not isinstance(cause, StoreError):  # what a stage died of then
                cause = self._too_late()
            await self._fail(journal, cause)

    async def retry(self, journal: Journal, changes: Mapping[str, Any] | None = None) -> None:
        """Take a failed task back to the stage in which it failed, with `changes` to its request."""
        task = journal.task
        stage = task.failure.stage if task.failure else Status.PENDING
        message = self.pipeline(task.kind).message(task, stage)
        await journal.advance(stage, message, changes=changes)

    async def approve(self, journal: Journal, progress: Progress) -> None:
        """Let a held task go on, in its status."""
        task = journal.task
        await journal.approve(progress, self.pipeline(task.kind).message(task, task.status))

    async def expire(self, journal: Journal) -> None:
        """End a held task for which nobody had a word in time."""
        await journal.settle()
        if journal.task.held_until:
            waited = "nobody approved in time; retry the task to be asked again"
            await self._fail(journal, ApprovalExpired(waited))

    async def cancel(self, journal: Journal) -> None:
        """End a task because its client said so, unless it is over; nothing of it runs any more."""
        await journal.settle()
        if not journal.task.status.is_terminal:
            message = self.pipeline(journal.task.kind).message(journal.task, Status.CANCELLED)
            try:
                await journal.advance(Status.CANCELLED, message)
            except StoreError:
                await journal.settle()
                if not journal.task.status.is_terminal:
                    raise

    async def _stages(self, journal: Journal) -> None:
        pipeline = self.pipeline(journal.task.kind)
        await self._start(journal)
        artifact: Artifact = pipeline.restore(journal.task, await self._store.kept(journal.task.id))
        for stage in _remaining(pipeline, journal.task.status):
            if journal.task.status is not stage.status:
                await journal.advance(stage.status, pipeline.message(journal.task, stage.status))
            with self._timed(stage):
                artifact = await _run(stage, artifact, journal.send)
            if isinstance(artifact, Hold):
                await journal.hold(artifact)
                return
        await journal.advance(Status.COMPLETED, pipeline.message(journal.task, Status.COMPLETED))

    def _too_late(self) -> TaskTimeout:
        return TaskTimeout(f"the task took longer than {self._timeout:g} s (TASK_TIMEOUT)")

    async def _start(self, journal: Journal) -> None:
        if journal.task.attempts >= self._max_attempts:
            raise CrashLoop(
                f"the service died {journal.task.attempts} times while it worked on this task, which is "
                "given up so that others can run; see the log for the cause"
            )
        await journal.start()

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        began = perf_counter()
        with (
            structlog.contextvars.bound_contextvars(stage=str(stage.status)),
            self._tracer.span(f"stage {stage.status}"),
        ):
            yield
        self._metrics.stage.labels(stage.status).observe(perf_counter() - began)

    async def _fail(self, journal: Journal, error: Exception) -> None:
        if isinstance(error, StoreError):
            raise error
        known = error if isinstance(error, GencodeError) else _unexpected(error)
        failure = Failure(code=known.code, message=known.message, retryable=known.retryable)
        log.error("task failed", code=known.code, reason=known.message, status=journal.task.status)
        await journal.advance(Status.FAILED, known.message, failure)


def _remaining(pipeline: Pipeline, status: Status) -> Sequence[Stage]:
    """The stages still to run: all for a pending task, else from the one that it was in."""
    reached = [n for n, stage in enumerate(pipeline.stages) if stage.status is status]
    return pipeline.stages[reached[0] if reached else 0 :]


async def _run(stage: Stage, artifact: Artifact, send: Send) -> Artifact | Hold:
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
