"""What the endpoints work with, made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request

from gencode.engine.manager import Manager
from gencode.errors import NotFound
from gencode.hub import Hub
from gencode.metrics import Metrics
from gencode.outbox import Outbox
from gencode.pipelines.generate.progress import Board
from gencode.pipelines.generate.spending import Price
from gencode.store import Query, Store
from gencode.task import Task
from gencode.trace import Tracer
from gencode.web.assistants import Assistants
from gencode.web.limits import RateLimit
from gencode.web.pulse import Pulse
from gencode.web.tickets import Tickets
from gencode.webhooks.chat import Chat
from gencode.webhooks.courier import Courier
from gencode.webhooks.standard import Webhooks


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What a request's `model` came to: the name that answers, and whether it merely stands in."""

    name: str
    stands_in: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Of a chat. `prove` raises Unauthorized for a request that does not come from it."""

    chat: Chat
    prove: Callable[[Headers, bytes, Mapping[str, str]], None] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receivers:
    """Those who are told of tasks, who goes to them, and what has yet to be told."""

    courier: Courier
    webhooks: Webhooks
    outbox: Outbox
    doors: Mapping[str, Door]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`closing` is set when the process begins to stop; open streams then say farewell.

    caching   whether an earlier task may answer in place of the model
    workflows whether projects may hold .github/workflows
    secrets   of this service, which no answer may hold
    pulse     gives idle streams a sign of life
    board     how far the tasks are that run; progress_pulse: when streams that want to know are told
    folding   a place for each request that folds a whole project in memory
    """

    manager: Manager
    store: Store
    hub: Hub
    metrics: Metrics
    tracer: Tracer
    rate: RateLimit
    tickets: Tickets
    receivers: Receivers
    assistants: Assistants
    choose_model: Callable[[str | None], Model]
    choose_host: Callable[[str | None, str | None, str], str]
    """The name of the host for a request's `host`, `github_org` and `repo_name`. Raises Invalid."""
    price: Callable[[str], Price | None]
    language: str
    caching: bool
    workflows: bool
    secrets: Sequence[str] = field(repr=False)
    folding: anyio.CapacityLimiter
    pulse: Pulse
    board: Board
    progress_pulse: Pulse
    closing: anyio.Event


def parts(request: Request) -> Parts:
    return request.app.state.parts  # type: ignore[no-any-return]  # Starlette's State is untyped


async def own_task(request: Request) -> Task:
    """The task of the path, if it is the client's own. Raises NotFound for anyone else's, as for none."""
    return await task_of(parts(request), request.state.client, request.path_params["task_id"])


async def task_of(its: Parts, client: str, task_id: str) -> Task:
    """As `own_task`."""
    for task in await its.store.find(Query(id=task_id, client=client, limit=1)):
        return task
    raise NotFound("there is no such task, or it belongs to another client")
