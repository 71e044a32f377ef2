"""Reading and cancelling tasks."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.responses import JSONResponse

from gencode.errors import Invalid
from gencode.store import Query
from gencode.task import Status
from gencode.web.parts import own_task, parts
from gencode.web.schemas import task_view

MOST = 100


async def show(request: Request) -> JSONResponse:
    return JSONResponse(task_view(await own_task(request)), headers={"Cache-Control": "no-store"})


async def cancel(request: Request) -> JSONResponse:
    """200 once nothing of the task runs any more; 409 when it ended in another way."""
    task = await parts(request).manager.cancel(await own_task(request))
    return JSONResponse(task_view(task))


async def listing(request: Request) -> JSONResponse:
    """`{"tasks": [...], "next_cursor": ...}`, newest first; ?status= (repeatable), ?limit=, ?cursor=."""
    limit = _limit(request.query_params.get("limit", "20"))
    query = Query(
        client=request.state.client,
        statuses=_statuses(request.query_params.getlist("status")),
        before=_before(request.query_params.get("cursor")),
        limit=limit + 1,
    )
    found = await parts(request).store.find(query)
    page = found[:limit]
    cursor = _cursor(page[-1].id) if len(found) > limit else None
    return JSONResponse(
        {"tasks": [task_view(task) for task in page], "next_cursor": cursor},
        headers={"Cache-Control": "no-store"},
    )


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise _invalid("limit", "range", f"a number from 1 to {MOST}")
    return int(text)


def _statuses(names: list[str]) -> list[Status] | None:
    wanted = [name for entry in names for name in entry.split(",") if name]
    if unknown := [name for name in wanted if name not in list(Status)]:
        raise _invalid("status", "enum", f"{unknown[0][:50]!r} is none of {', '.join(Status)}")
    return [Status(name) for name in wanted] or None


def _cursor(task_id: str) -> str:
    return base64.urlsafe_b64encode(task_id.encode()).decode().rstrip("=")


def _before(cursor: str | None) -> str | None:
    if not cursor:
        return None
    try:
        task_id = base64.urlsafe_b64decode(cursor[:100] + "=" * (-len(cursor[:100]) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        task_id = ""
    if _cursor(task_id) != cursor or len(task_id) != len("00000000-0000-7000-8000-000000000000"):
        raise _invalid("cursor", "format", "use the next_cursor of an earlier answer as it is")
    return task_id


def _invalid(field: str, rule: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", [{"field": field, "rule": rule, "message": message}])
