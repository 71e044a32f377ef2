"""How admins read the audit log."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel
from gencode.http.dependencies import get_extension
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.parameters import LIMIT, PRINTABLE_TEXT, position_cursor
from gencode.workspace.workspace import Workspace

MAX_POSITION = 999_999_999


class AuditEntryView(ResponseModel):
    """`before`, `after`: the changed fields, without secrets."""

    position: int
    at: Moment
    actor: str
    action: str
    subject: str
    address: str
    before: dict[str, Any]
    after: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryView:
        return cls(
            position=entry.position,
            at=rfc3339(entry.at),
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            address=entry.address,
            before=entry.before,
            after=entry.after,
        )


class AuditPage(ResponseModel):
    """`next_cursor`: the cursor of the next page; null on the last."""

    entries: list[AuditEntryView]
    next_cursor: int | None


PAGE = JsonResponseSpec(model=AuditPage, description="Entries, the newest first")
CURSOR = position_cursor(MAX_POSITION)
ACTOR = Parameter(
    name="actor", location="query", description="Of this principal", type=PRINTABLE_TEXT, default=""
)
SUBJECT = Parameter(
    name="subject",
    location="query",
    description="About this subject, such as user:ID",
    type=PRINTABLE_TEXT,
    default="",
)


@operation(
    "listAuditLog",
    "GET /audit",
    "Read the audit log",
    parameters=(LIMIT, CURSOR, ACTOR, SUBJECT),
    responses=(PAGE,),
)
async def list_audit_log(request: Request) -> Response:
    limit, workspace = LIMIT.read(request), get_extension(request, Workspace)
    async with workspace.database.transaction() as session:
        found = await workspace.audit.page(
            session, limit + 1, CURSOR.read(request), ACTOR.read(request), SUBJECT.read(request)
        )
    entries = [AuditEntryView.of(entry) for entry in found[:limit]]
    return PAGE.make(
        AuditPage(entries=entries, next_cursor=entries[-1].position if len(found) > limit else None)
    )
