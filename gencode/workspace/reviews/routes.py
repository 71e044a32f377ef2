"""How users read findings of reviews and decide about them."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, Text, one_of
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.parameters import LIMIT, ONE, PRINTABLE_TEXT, actor_of, id_in_path
from gencode.workspace.reviews.store import FindingQuery, ReviewStore
from gencode.workspace.reviews.tables import ReviewFinding, StoredStatus
from gencode.workspace.workspace import Workspace


class StoredFinding(ResponseModel):
    """A finding of a subject, as its last review has left it."""

    id: str
    identity: str
    subject: str
    status: StoredStatus = Field(description="gone: its line was changed, or has left the change")
    reason: str = Field(description="Why a user ignores it")
    path: str
    line: int | None
    severity: str
    category: str
    title: str
    body: str
    quote: str
    first_task_id: str = Field(description="Of the review that found it")
    task_id: str = Field(description="Of the last review that had it")
    created_at: Moment
    updated_at: Moment


class FindingPage(ResponseModel):
    items: list[StoredFinding]
    next_cursor: str | None


class FindingDecision(RequestModel):
    """ignored: it is not told again; open: it is."""

    status: Literal["open", "ignored"]
    reason: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")] = ""


DECISION = JsonBody(model=FindingDecision)
PAGE = JsonResponseSpec(model=FindingPage, description="One's own findings")
FINDING = JsonResponseSpec(model=StoredFinding, description="The finding")
SUBJECT = Parameter(
    name="subject", location="query", description="Of this subject", type=PRINTABLE_TEXT, default=None
)
STATUS = Parameter(
    name="status",
    location="query",
    description="open, gone or ignored",
    type=one_of("open", "gone", "ignored"),
    default=None,
)
CURSOR = Parameter(
    name="cursor",
    location="query",
    description="`next_cursor` of the page before",
    type=Text(pattern="^[0-9a-f-]{0,36}$", rule="cursor", message="is none of this list"),
    default="",
)


@operation(
    "listReviewFindings",
    "GET /reviews/findings",
    "List findings of reviews with a subject",
    parameters=(LIMIT, CURSOR, SUBJECT, STATUS),
    responses=(PAGE,),
)
async def list_findings(request: Request) -> Response:
    query = FindingQuery(
        limit=LIMIT.read(request),
        subject=SUBJECT.read(request),
        status=STATUS.read(request),
        after=CURSOR.read(request),
    )
    rows = await _store(request).page(get_principal(request).id, query)
    shown = rows[: query.limit]
    after = shown[-1].id if len(rows) > query.limit else None
    return PAGE.make(FindingPage(items=[view_of(row) for row in shown], next_cursor=after))


@operation(
    "getReviewFinding",
    "GET /reviews/findings/{id:uuid}",
    "Show a finding",
    traits=(ONE,),
    responses=(FINDING,),
)
async def get_finding(request: Request) -> Response:
    return FINDING.make(
        view_of(await _store(request).finding(get_principal(request).id, id_in_path(request)))
    )


@operation(
    "decideReviewFinding",
    "POST /reviews/findings/{id:uuid}",
    "Ignore a finding, or open it again",
    traits=(ONE,),
    body=DECISION,
    responses=(FINDING,),
)
async def decide_finding(request: Request) -> Response:
    decision = await DECISION.read(request)
    status = StoredStatus(decision.status)
    row = await _store(request).change(actor_of(request), id_in_path(request), status, decision.reason)
    return FINDING.make(view_of(row))


def view_of(row: ReviewFinding) -> StoredFinding:
    told = json.loads(row.finding)
    return StoredFinding(
        id=row.id,
        identity=row.identity,
        subject=row.subject,
        status=StoredStatus(row.status),
        reason=row.reason,
        path=row.path,
        line=row.line,
        severity=row.severity,
        category=row.category,
        title=row.title,
        body=told["body"],
        quote=told["quote"],
        first_task_id=row.first_task_id,
        task_id=row.task_id,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def _store(request: Request) -> ReviewStore:
    workspace = get_extension(request, Workspace)
    return ReviewStore(workspace.database, workspace.audit)


REVIEW_OPERATIONS = (list_findings, get_finding, decide_finding)
