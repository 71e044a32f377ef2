"""What the endpoints work with, made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request

from gencode.auth.tickets import Tickets
from gencode.domain.errors import NotFound
from gencode.domain.task import Task
from gencode.engine.hub import Hub
from gencode.engine.outbox import Outbox
from gencode.engine.service import TaskService
from gencode.engine.store import Store, TaskQuery
from gencode.engine.tracing import Tracer
from gencode.http.rate_limit import RateLimiter
from gencode.http.shared_ticker import SharedTicker
from gencode.llm.budget import Price
from gencode.llm.progress import ProgressRegistry
from gencode.mcp.runtime import MCPRuntime
from gencode.notifications.chat_replies import ChatNotifier
from gencode.notifications.dispatcher import NotificationDispatcher
from gencode.notifications.webhooks import WebhookNotifier
from gencode.observability.metrics import Metrics
from gencode.security.secrets import SecretRegistry


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenModel:
    """What a request's `model` came to: the name that answers, and whether it merely stands in."""

    name: str
    stands_in: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatIntegration:
    """Of a chat. `prove` raises Unauthorized for a request that does not come from it."""

    chat: ChatNotifier
    prove: Callable[[Headers, bytes, Mapping[str, str]], None] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notifications:
    """Those who are told of tasks, who goes to them, and what has yet to be told."""

    dispatcher: NotificationDispatcher
    webhooks: WebhookNotifier
    outbox: Outbox
    doors: Mapping[str, ChatIntegration]


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """`closing` is set when the process begins to stop; open streams then say farewell.

    caching   whether an earlier task may answer in place of the model
    workflows whether projects may hold .github/workflows
    secrets   of this service, which no answer may hold
    pulse     gives idle streams a sign of life
    board     how far the tasks are that run; progress_pulse: when streams that want to know are told
    folding   a place for each request that folds a whole project in memory
    """

    task_service: TaskService
    store: Store
    hub: Hub
    metrics: Metrics
    tracer: Tracer
    rate: RateLimiter
    tickets: Tickets
    notifications: Notifications
    assistants: MCPRuntime
    choose_model: Callable[[str | None], ChosenModel]
    choose_host: Callable[[str | None, str | None, str], str]
    """The name of the host for a request's `host`, `github_org` and `repo_name`. Raises Invalid."""
    price: Callable[[str], Price | None]
    language: str
    caching: bool
    workflows: bool
    secrets: SecretRegistry = field(repr=False)
    checkpoint_readers: anyio.CapacityLimiter
    ticker: SharedTicker
    progress_registry: ProgressRegistry
    progress_ticker: SharedTicker
    closing: anyio.Event


def get_services(request: Request) -> Services:
    return request.app.state.services  # type: ignore[no-any-return]  # Starlette's State is untyped


async def own_task(request: Request) -> Task:
    """The task of the path, if it is the client's own. Raises NotFound for anyone else's, as for none."""
    return await task_of(get_services(request), request.state.client, request.path_params["task_id"])


async def task_of(services: Services, client: str, task_id: str) -> Task:
    """As `own_task`."""
    for task in await services.store.find(TaskQuery(id=task_id, principal=client, limit=1)):
        return task
    raise NotFound("there is no such task, or it belongs to another client")
