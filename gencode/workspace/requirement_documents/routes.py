"""Upload and parsing of requirement documents, beside the operations of every resource."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError, Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.store import IdempotencyKey
from gencode.http.base_models import UUID_PATTERN
from gencode.http.common_declarations import LOCATION, RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.file_body import FileBody
from gencode.http.links import api, task_url
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submission import submit
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    ACCEPTED,
    IDEMPOTENCY_KEY,
    SUBMISSION_ERRORS,
    accepted_response,
    request_language,
    submit_for,
)
from gencode.resilience.thread_offload import run_on_text
from gencode.workspace.errors import NotAnalysed
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.requirement_documents.changes import changes_between
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.requirement import Analysis, Requirement
from gencode.workspace.requirement_documents.resource import REQUIREMENT_DOCUMENTS
from gencode.workspace.requirement_documents.table import PARSE_TASKS, RequirementDocument
from gencode.workspace.requirement_documents.tasks import PARSE_DOCUMENT, ParseDocumentRequest
from gencode.workspace.requirement_documents.views import (
    ChangedRequirement,
    RequirementChangesView,
    RequirementDocumentView,
    UploadFields,
    view_of,
)
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.settled_operation import settled
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.store import ReceivedUpload
from gencode.workspace.workspace import Workspace

UPLOAD = FileBody(model=UploadFields)
UPLOADED = JsonResponseSpec(
    status=202,
    model=RequirementDocumentView,
    description="The document is stored, and a task reads its file",
    headers=(LOCATION,),
)
FROM = Parameter(
    name="from",
    location="query",
    description="The id of the version to compare with",
    type=Text(pattern=UUID_PATTERN, message="must be the id of a requirement document"),
    default=None,
)
CHANGES = JsonResponseSpec(model=RequirementChangesView, description="Those of this version")
REQUIREMENT_SIZE = 500
"""Characters that one takes, about; the comparison of many must not hold up other requests."""


@operation(
    "uploadRequirementDocument",
    "POST /requirements/upload",
    "Upload a requirement document: .txt, .md, .pdf, .doc or .docx",
    traits=(RATE_LIMITED,),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=UPLOAD,
    responses=(UPLOADED,),
    errors=SUBMISSION_ERRORS,
)
async def upload(request: Request) -> Response:
    rate = await get_services(request).rate.spend(get_principal(request).id)
    workspace, owner = get_extension(request, Workspace), get_principal(request).id
    async with workspace.uploads.receive(request, UPLOAD, owner) as received:
        key = _key(request, received)
        if key and (known := await get_services(request).store.find_by_key(key)):
            return await _uploaded(request, known, rate)
        documents, opened = _documents(request), workspace.opened_at
        lost = await documents.lost(owner, opened, received.row) if key else None
        row = lost or await workspace.resource(REQUIREMENT_DOCUMENTS).create(
            _values(received), actor_of(request), [received.row]
        )
    return await _uploaded(request, await _submit(request, row, key, is_new=lost is None), rate)


@operation(
    "parseRequirementDocument",
    "POST /requirements/{id:uuid}/parse",
    "Read the file of a requirement document again",
    traits=(ONE, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    responses=(ACCEPTED,),
    errors=SUBMISSION_ERRORS,
)
async def parse(request: Request) -> Response:
    rate, owner = await get_services(request).rate.spend(get_principal(request).id), get_principal(request).id
    documents = _documents(request)
    row = await documents.get(id_in_path(request), owner)
    submitted = await submit_for(request, PARSE_DOCUMENT, ParseDocumentRequest(document_id=row.id))
    await documents.assign(row.id, owner, TaskVersion.of(submitted.task))
    return accepted_response(request, submitted, rate)


@operation(
    "getRequirementChanges",
    "GET /requirements/{id:uuid}/changes",
    "The changes of requirements since another version",
    traits=(ONE,),
    parameters=(FROM,),
    responses=(CHANGES,),
    errors=(NotAnalysed,),
)
async def changes(request: Request) -> Response:
    owner, documents = get_principal(request).id, _documents(request)
    new = await documents.get(id_in_path(request), owner)
    if (from_id := FROM.read(request)) is None:
        raise Invalid.of("from", "missing", "send the id of the version to compare with")
    old = await documents.get(from_id, owner)
    size = REQUIREMENT_SIZE * ((old.requirement_count or 0) + (new.requirement_count or 0))
    async with get_services(request).list_limiter.hold(owner):
        return await run_on_text(size, _changes, old, new)


def _changes(old: RequirementDocument, new: RequirementDocument) -> Response:
    """Raises NotAnalysed."""
    found = changes_between(_analysed(old), _analysed(new))
    return CHANGES.make(
        RequirementChangesView(
            from_id=old.id,
            to_id=new.id,
            added=found.added,
            removed=found.removed,
            changed=[ChangedRequirement(before=old, after=after) for old, after in found.changed],
            moved=[ChangedRequirement(before=old, after=after) for old, after in found.moved],
            unchanged=found.unchanged,
        )
    )


def _analysed(row: RequirementDocument) -> Sequence[Requirement]:
    """Raises NotAnalysed."""
    if row.requirements is None:
        raise NotAnalysed(Phrase("the document {id} has no requirements yet: analyse it first", id=row.id))
    return Analysis.model_validate(row.requirements).requirements


async def _submit(
    request: Request, row: RequirementDocument, key: IdempotencyKey | None, *, is_new: bool
) -> Task:
    """The task that reads the file. Without one a new document is deleted, so that a repeated upload does not
    double it. Raises the errors of `submit`."""
    services, principal = get_services(request), get_principal(request)
    submission = ParseDocumentRequest(document_id=row.id)
    try:
        submitted = await submit(
            services, PARSE_DOCUMENT, submission, principal, request_language(request), key
        )
    except GencodeError:
        if is_new:
            await _documents(request).discard(row.id, row.owner)
        raise
    if submitted.is_replay and submitted.task.parameters["document_id"] != row.id:
        await _documents(request).discard(row.id, row.owner)  # of the same upload at the same time
    return submitted.task


async def _uploaded(request: Request, task: Task, rate: dict[str, str]) -> Response:
    document_id = str(task.parameters["document_id"])
    row = await _documents(request).assign(document_id, task.principal.id, TaskVersion.of(task))
    return UPLOADED.make(view_of(row), {**rate, "Location": task_url(api(request), task.id)})


def _values(received: ReceivedUpload[UploadFields]) -> dict[str, str | int | None]:
    file = received.row
    return {
        "name": received.fields.name or file.name[:100],
        "upload_id": file.id,
        "original_filename": file.name,
        "file_size": file.size,
        "mime_type": file.media_type,
        "previous_id": received.fields.previous_id,
    }


def _key(request: Request, received: ReceivedUpload[UploadFields]) -> IdempotencyKey | None:
    """The same key, file and fields are the same upload. Raises Invalid."""
    if (value := IDEMPOTENCY_KEY.read(request)) is None:
        return None
    content = f"{received.row.sha256} {received.row.name} {received.fields.model_dump_json()}"
    digest = hashlib.sha256(content.encode()).hexdigest()
    return IdempotencyKey(principal=get_principal(request).id, value=value, digest=digest)


def _documents(request: Request) -> RequirementDocuments:
    return RequirementDocuments(get_extension(request, Workspace).database)


_LIST, _CREATE, _GET, _CHANGE, _DELETE = operations_of(REQUIREMENT_DOCUMENTS)
REQUIREMENT_OPERATIONS = (
    upload,
    settled(_LIST, PARSE_TASKS),
    _CREATE,
    settled(_GET, PARSE_TASKS),
    _CHANGE,
    _DELETE,
    parse,
    changes,
)
