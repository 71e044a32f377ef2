"""The dependencies of endpoints, created once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import anyio
from starlette.requests import Request

from gencode.auth.tickets import Tickets, holder_of
from gencode.domain.errors import NotFound
from gencode.domain.principal import Principal
from gencode.domain.task import Task
from gencode.engine.ports.callback_outbox import Outbox
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store, TaskQuery
from gencode.engine.ports.tracing import Tracer
from gencode.engine.service import TaskService
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.fair_limiter import FairLimiter
from gencode.http.kinds import ActiveKinds
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.http.quota_enforcement import QuotaEnforcement
from gencode.http.rate_limit import RateLimiter
from gencode.http.shared_ticker import SharedTicker
from gencode.http.write_probe import WriteProbe
from gencode.notifications.webhooks import WebhookNotifier
from gencode.observability.metrics import Metrics

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Callbacks:
    """The parts that report tasks to receivers.

    outbox  the stored callbacks
    wake    to be called when a task with a callback was stored
    """

    webhooks: WebhookNotifier
    outbox: Outbox
    wake: Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The parts of the service that endpoints of every kind of task need.

    list_limiter         limits concurrent reads of task lists, so that they do not delay accepts
    task_limiter         limits concurrent look-ups of a task by each client
    stream_limiter       limits the event streams of each client that still read the log to catch up
    write_probe          whether the store accepts writes
    language             the language of messages for requests that name none
    ticker               sends comments on idle streams
    progress_ticker      when streams with ?include=progress send the current progress
    closing              set when the process begins to stop; open streams then end
    extensions           dependencies of endpoints of the packages above this one, found by their class
    """

    kinds: ActiveKinds
    task_service: TaskService
    store: Store
    hub: Hub
    metrics: Metrics
    tracer: Tracer
    rate: RateLimiter
    quotas: QuotaEnforcement
    tickets: Tickets
    callbacks: Callbacks
    checkpoint_reader: CheckpointReader
    list_limiter: FairLimiter
    task_limiter: PerClientSemaphore
    stream_limiter: PerClientSemaphore
    write_probe: WriteProbe
    language: str
    ticker: SharedTicker
    progress_ticker: SharedTicker
    closing: anyio.Event
    extensions: Sequence[object] = ()


def get_services(request: Request) -> Services:
    return request.app.state.services  # type: ignore[no-any-return]  # Starlette's State is untyped


def get_extension(request: Request, cls: type[T]) -> T:
    """The extension of this class. Raises LookupError if none is registered: a programming error."""
    for extension in get_services(request).extensions:
        if isinstance(extension, cls):
            return extension
    raise LookupError(f"nothing provides {cls}")


def get_principal(request: Request) -> Principal:
    """The principal that AuthenticationMiddleware has authenticated."""
    return request.state.principal  # type: ignore[no-any-return]  # Starlette's State is untyped


def ticket_holder(request: Request) -> str:
    """Whom a ticket for this request's principal is given to: see ApiKeyAuthenticator."""
    return holder_of(get_principal(request).id, request.state.session_id)


async def own_task(request: Request) -> Task:
    """The task in the path, if it is the principal's own. Raises NotFound, also for tasks of other
    principals."""
    return await find_task(get_services(request), get_principal(request), request.path_params["task_id"])


async def find_task(services: Services, principal: Principal, task_id: str) -> Task:
    """Like `own_task`, for a given principal and id."""
    async with services.task_limiter.hold(principal.id):
        return await task_of(services.store, principal, task_id)


async def visible_task(request: Request) -> Task:
    """Like `own_task`, but an operator may read and cancel the tasks of all clients."""
    if not get_principal(request).is_operator:
        return await own_task(request)
    query = TaskQuery(id=request.path_params["task_id"], limit=1)
    for task in await get_services(request).store.find(query):
        return task
    raise NotFound("there is no such task")


async def task_of(store: Store, principal: Principal, task_id: str) -> Task:
    """Like `own_task`, for callers that limit their reads themselves."""
    for task in await store.find(TaskQuery(id=task_id, principal=principal.id, limit=1)):
        return task
    raise NotFound("there is no such task, or it belongs to another client")


async def read_own_task(
    store: Store,
    reader: CheckpointReader,
    principal: Principal,
    task_id: str,
    check: Callable[[Task], Task],
    make: Callable[[Task, Checkpoints], T],
) -> T:
    """What `make` returns for a task of this principal and its checkpoints. Raises NotFound, and what `check`
    raises for a task of another kind."""

    async def find() -> Task:
        return check(await task_of(store, principal, task_id))

    return await reader.find_and_read(principal.id, find, make)
