"""Submits a task from a validated request, and retries one: the same rules for HTTP, assistants and chats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.errors import Invalid, RequestError, StoreError
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal
from gencode.domain.task import Task, now
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import IdempotencyKey
from gencode.engine.task_ids import new_id
from gencode.http.base_models import TaskRequest
from gencode.http.dependencies import Services
from gencode.http.kinds import APPROVED, PreparedTask, Submitter
from gencode.outbound.url_policy import UrlRefused

MakeCallback = Callable[[str], Awaitable[Callback]]
"""Creates the callback of a new task from its id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """`is_replay`: the idempotency key already belonged to this task."""

    task: Task
    is_replay: bool


async def submit(
    services: Services,
    kind: str,
    request: TaskRequest,
    principal: Principal,
    language: str,
    key: IdempotencyKey | None = None,
    callback: MakeCallback | None = None,
) -> Submitted:
    """The task, once it is stored.

    callback   where to report it, in place of the request's `callback_url`

    Raises Invalid, IdempotencyKeyReused, QuotaExceeded, QueueFull, ShuttingDown, StoreError, and what the
    kind's `prepare` raises; nothing is stored then.
    """
    # A known key comes first: what was accepted is answered even if the queue is full or its deadline over.
    if key and (known := await services.store.find_by_key(key)):
        return Submitted(task=known, is_replay=True)
    runtime = services.kinds.get(kind)
    assert runtime is not None  # noqa: S101 - callers name a registered kind
    prepared = await runtime.prepare(request, Submitter(principal=principal, language=language))
    task = _new_task(kind, prepared, principal, language, services.tracer.traceparent())
    target = await callback(task.id) if callback else await _webhook(services, request, task.id)
    async with services.quotas.submission(principal.id, prepared.parameters):
        stored = await _store(services, prepared, task, key, target)
    if target:
        services.callbacks.wake()
    return Submitted(task=stored, is_replay=stored.id != task.id)


async def _store(
    services: Services,
    prepared: PreparedTask,
    task: Task,
    key: IdempotencyKey | None,
    target: Callback | None,
) -> Task:
    """Stores the task, and counts it as a generation if it is one. If the process ends in between, its
    reservation is settled later; see Reservation."""
    reservation, store = prepared.reservation, services.task_service.submit
    if reservation:
        await reservation.take(task.id)
    try:
        stored = await store(task, prepared.request, key, target, may_pause=prepared.may_pause)
    except RequestError:
        if reservation:
            with suppress(StoreError):
                await reservation.release(task.id)
        raise
    if reservation:
        with suppress(StoreError):
            await (reservation.confirm if stored.id == task.id else reservation.release)(task.id)
    return stored


async def retry(services: Services, task: Task, changes: Mapping[str, Any] | None = None) -> Task:
    """Queues a failed task again and returns it. `changes`: new values of its parameters. Raises the errors
    of TaskService.retry and QuotaEnforcement.resumption."""
    runtime = services.kinds.require(task)
    may_pause = runtime.may_pause(task) and not await is_approved(services, task)
    async with services.quotas.resumption(task, calls_model=runtime.calls_model(task)):
        return await services.task_service.retry(task, changes, may_pause=may_pause)


async def is_approved(services: Services, task: Task) -> bool:
    """Whether the task was approved."""
    return await services.checkpoint_reader.read(task, _has_approval)


def _has_approval(checkpoints: Checkpoints) -> bool:
    return APPROVED in checkpoints


def request_digest(request: TaskRequest) -> str:
    """Identifies the body for an IdempotencyKey. Defaults are left out, so that a field that a later version
    adds changes no digest."""
    body = json.dumps(request.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()


def _new_task(kind: str, prepared: PreparedTask, principal: Principal, language: str, trace: str) -> Task:
    at = now()
    return Task(
        id=new_id(),
        kind=kind,
        principal=principal,
        parameters=prepared.parameters,
        language=language,
        message=prepared.message,
        created_at=at,
        updated_at=at,
        trace=trace,
    )


async def _webhook(services: Services, request: TaskRequest, task_id: str) -> Callback | None:
    if request.callback is None:
        return None
    try:
        return await services.callbacks.webhooks.callback(task_id, request.callback)
    except UrlRefused as error:
        problem = {"field": "callback_url", "rule": "address", "message": str(error)}
        raise Invalid(Phrase("callback_url: {error}", error=error), [problem]) from None
