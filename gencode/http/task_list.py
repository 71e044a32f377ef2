"""GET /api/v1/tasks: pages of a principal's own tasks, newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Forbidden, Invalid
from gencode.domain.event import dump
from gencode.domain.principal import Principal
from gencode.domain.task import Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.http.base_models import UUID_PATTERN
from gencode.http.dependencies import Services, get_principal, get_services
from gencode.http.kinds import KindRegistry
from gencode.http.links import api
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import Choices, Integer, Parameter, Text
from gencode.http.response_specs import JsonDataSpec
from gencode.http.task_models import task_data

MAX_PAGE = 100
PAGE_PART = 10
"""Tasks that are read and rendered in one step. It delays accepts, however many clients read lists."""
CURSOR_PATTERN = UUID_PATTERN
"""The pattern of a cursor: the id of the last task of the previous page."""

LIMIT = Parameter(
    name="limit",
    location="query",
    description="Tasks on a page",
    type=Integer(minimum=1, maximum=MAX_PAGE),
    default=20,
)
CURSOR = Parameter(
    name="cursor",
    location="query",
    description="next_cursor of the page before",
    type=Text(pattern=f"^$|{CURSOR_PATTERN}", message="use the next_cursor of an earlier answer as it is"),
    default=None,
)


CLIENT = Parameter(
    name="client",
    location="query",
    description="For operators: tasks of this client; * for all",
    type=Text(),
    default=None,
)
ALL_CLIENTS = "*"


def list_operation(kinds: KindRegistry, page_response: JsonDataSpec) -> Operation:
    status = Parameter(
        name="status",
        location="query",
        description="Only these; repeatable, or separated by commas",
        type=Choices(values=kinds.statuses),
        default=None,
        is_repeatable=True,
    )

    @operation(
        "listTasks",
        "GET /tasks",
        "One's own tasks, newest first",
        parameters=(status, CLIENT, LIMIT, CURSOR),
        responses=(page_response,),
        errors=(Invalid, Forbidden),
    )
    async def list_tasks(request: Request) -> Response:
        services, limit, principal = get_services(request), LIMIT.read(request), get_principal(request)
        query = TaskQuery(
            principal=_whose(principal, CLIENT.read(request)),
            statuses=status.read(request) or None,
            before=CURSOR.read(request) or None,
            limit=limit,
        )
        async with services.list_limiter.hold(principal.id):
            page = await _page(services, query, api(request))
        return page_response.make_json(page)

    return list_tasks


def _whose(principal: Principal, client: str | None) -> str | None:
    """The client whose tasks are listed; None for all clients. Raises Forbidden."""
    if not client or client == principal.id:
        return principal.id
    if not principal.is_operator:
        raise Forbidden(
            "the tasks of other clients are for operators: use a key made with gencode keys make --operator"
        )
    return None if client == ALL_CLIENTS else client


async def _page(services: Services, query: TaskQuery, path: str) -> bytes:
    """The JSON of at most `query.limit` tasks. It is rendered in parts, so that other requests run in
    between."""
    views: list[bytes] = []
    last_id, cursor = "", "null"
    async for task in _find(services.store, replace(query, limit=query.limit + 1)):
        if len(views) == query.limit:
            cursor = f'"{last_id}"'
            break
        views.append(dump(task_data(task, path, services.kinds)))
        last_id = task.id
    return b'{"tasks":[%b],"next_cursor":%b}' % (b",".join(views), cursor.encode())


async def _find(store: Store, query: TaskQuery) -> AsyncIterator[Task]:
    """The tasks of `query`, PAGE_PART in each read of the store."""
    missing = query.limit
    while missing > 0:
        wanted = min(PAGE_PART, missing)
        tasks = await store.find(replace(query, limit=wanted))
        for task in tasks:
            yield task
        missing = missing - wanted if len(tasks) == wanted else 0
        query = replace(query, before=tasks[-1].id) if tasks else query
