"""The list of the system log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel
from gencode.http.dependencies import get_extension
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, one_of
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.parameters import LIMIT, PRINTABLE_TEXT, position_cursor
from gencode.workspace.system_log.table import SystemLogEntry
from gencode.workspace.workspace import Workspace

MAX_POSITION = 2**53
"""The largest integer that every JSON reader keeps."""


class SystemLogEntryView(ResponseModel):
    """See SystemLogEntry."""

    position: int
    at: Moment
    level: str
    message: str
    module: str
    task_id: str | None
    extra: dict[str, Any]

    @classmethod
    def of(cls, entry: SystemLogEntry) -> SystemLogEntryView:
        return cls(
            position=entry.position,
            at=rfc3339(entry.at),
            level=entry.level,
            message=entry.message,
            module=entry.module,
            task_id=entry.task_id,
            extra=entry.extra,
        )


class SystemLogPage(ResponseModel):
    """`next_cursor`: the cursor of the next page; null on the last."""

    entries: list[SystemLogEntryView]
    next_cursor: int | None


PAGE = JsonResponseSpec(model=SystemLogPage, description="Entries, the newest first")
CURSOR = position_cursor(MAX_POSITION)
LEVEL = Parameter(
    name="level",
    location="query",
    description="Only of this level",
    type=one_of("WARNING", "ERROR", "CRITICAL"),
    default=None,
)
MODULE = Parameter(
    name="module", location="query", description="Only of this logger", type=PRINTABLE_TEXT, default=""
)
TEXT = Parameter(
    name="q", location="query", description="A part of the message", type=PRINTABLE_TEXT, default=""
)


@operation(
    "listSystemLog",
    "GET /system-logs",
    "Read the system log",
    parameters=(LIMIT, CURSOR, LEVEL, MODULE, TEXT),
    responses=(PAGE,),
)
async def list_system_log(request: Request) -> Response:
    limit = LIMIT.read(request)
    query = select(SystemLogEntry).where(SystemLogEntry.position < CURSOR.read(request))
    if level := LEVEL.read(request):
        query = query.where(SystemLogEntry.level == level)
    if module := MODULE.read(request):
        query = query.where(SystemLogEntry.module == module)
    if text := TEXT.read(request):
        query = query.where(SystemLogEntry.message.icontains(text, autoescape=True))
    query = query.order_by(SystemLogEntry.position.desc()).limit(limit + 1)
    async with get_extension(request, Workspace).database.transaction() as session:
        found = (await session.scalars(query)).all()
    entries = [SystemLogEntryView.of(entry) for entry in found[:limit]]
    after = entries[-1].position if len(found) > limit else None
    return PAGE.make(SystemLogPage(entries=entries, next_cursor=after))
