"""The documents of a knowledge base: add, list, show, index again, delete; their chunks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import AlreadyFinished, NotFound
from gencode.http.base_models import UUID_SCHEMA, RequestModel
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import Trait, operation
from gencode.http.parameter_types import Integer, Parameter, one_of
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.submit_operation import ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, SUBMISSION_ERRORS, submit_for
from gencode.workspace.knowledge_bases.document_state import settle_documents
from gencode.workspace.knowledge_bases.document_views import (
    KnowledgeChunkPage,
    KnowledgeDocumentPage,
    KnowledgeDocumentView,
    chunk_view,
    document_view,
)
from gencode.workspace.knowledge_bases.documents import typed_document
from gencode.workspace.knowledge_bases.errors import KnowledgeBaseFull
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.requests import INDEX, IndexRequest
from gencode.workspace.knowledge_bases.tables import DocumentFormat, KnowledgeDocument, ProcessingStatus
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, actor_of, id_in_path
from gencode.workspace.resources.cursors import cursor_after, read_cursor
from gencode.workspace.resources.models import PRINTABLE

DocumentName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)]
DocumentText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1_000_000, pattern=r"^[^\x00]*\S[^\x00]*$"),
    Field(description="Not blank, without NUL"),
]
DOCUMENT = Trait(
    path_schemas={
        "id": UUID_SCHEMA,
        "document_id": UUID_SCHEMA,
    },
    errors=(NotFound,),
)
"""The trait of operations on a document."""
STATUS = Parameter(
    name="status",
    location="query",
    description="Only documents with this processing_status",
    type=one_of(*ProcessingStatus),
    default="",
)
FIRST = Parameter(
    name="first",
    location="query",
    description="The ordinal of the first chunk",
    type=Integer(maximum=999_999),
    default=0,
)


class KnowledgeDocumentCreation(RequestModel):
    """A document that is typed."""

    name: DocumentName
    text: DocumentText
    format: DocumentFormat = Field(DocumentFormat.MARKDOWN, strict=False)


CREATION = JsonBody(
    model=KnowledgeDocumentCreation, pattern_messages={"text": "must not be blank, nor contain NUL"}
)
PAGE = JsonResponseSpec(model=KnowledgeDocumentPage, description="In the order in which they were added")
KNOWN = JsonResponseSpec(model=KnowledgeDocumentView, description="The base has this content already")
ADDED = JsonResponseSpec(
    status=202, model=KnowledgeDocumentView, description="It is stored, and a task indexes it"
)
SHOWN = JsonResponseSpec(model=KnowledgeDocumentView, description="The document")
CHUNKS = JsonResponseSpec(model=KnowledgeChunkPage, description="In their order; joined, they are the text")
DELETED = ResponseSpec(status=204, description="It is deleted, and is found no more")
SUBMITTED = (IDEMPOTENCY_KEY, ACCEPT_LANGUAGE)


@operation(
    "listKnowledgeDocuments",
    "GET /knowledge/bases/{id:uuid}/documents",
    "List the documents of a knowledge base",
    traits=(ONE,),
    parameters=(LIMIT, CURSOR, STATUS),
    responses=(PAGE,),
)
async def list_documents(request: Request) -> Response:
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.base(id_in_path(request), get_principal(request).id)
    await settle_documents(request, base.id)
    cursor, limit = CURSOR.read(request), LIMIT.read(request)
    after = read_cursor(cursor, datetime) if cursor else None
    rows = await knowledge.documents.page(base.id, limit, after, STATUS.read(request) or None)
    shown = rows[:limit]
    following = cursor_after(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
    return PAGE.make(
        KnowledgeDocumentPage(items=[document_view(row) for row in shown], next_cursor=following)
    )


@operation(
    "addKnowledgeDocument",
    "POST /knowledge/bases/{id:uuid}/documents",
    "Add a text to a knowledge base, and index it",
    traits=(ONE, RATE_LIMITED),
    parameters=SUBMITTED,
    body=CREATION,
    responses=(ADDED, KNOWN),
    errors=(KnowledgeBaseFull, *SUBMISSION_ERRORS),
)
async def add_document(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    body = await CREATION.read(request)
    new = typed_document(body.name, body.text, body.format)
    row, is_new = await knowledge.documents.add(base, new, actor_of(request))
    return await indexed_if_needed(request, knowledge, row, rate_headers, is_new=is_new)


async def indexed_if_needed(
    request: Request,
    knowledge: KnowledgeBases,
    row: KnowledgeDocument,
    rate_headers: dict[str, str],
    *,
    is_new: bool,
) -> Response:
    """A document that was added again is indexed again only if that has failed before."""
    if not is_new:
        await settle_documents(request, row.base_id)
        row = await knowledge.documents.get(row.base_id, row.id)
        if row.processing_status != ProcessingStatus.FAILED:
            return KNOWN.make(document_view(row), rate_headers)
    return ADDED.make(document_view(await _submitted(request, knowledge, row)), rate_headers)


async def _submitted(
    request: Request, knowledge: KnowledgeBases, row: KnowledgeDocument
) -> KnowledgeDocument:
    """Submits the task that indexes a document. Raises the errors of `submit_for`."""
    submission = IndexRequest(knowledge_base_id=row.base_id, document_id=row.id)
    submitted = await submit_for(request, INDEX, submission)
    await knowledge.documents.queued(row.id, submitted.task.id)
    return await knowledge.documents.get(row.base_id, row.id)


@operation(
    "getKnowledgeDocument",
    "GET /knowledge/bases/{id:uuid}/documents/{document_id:uuid}",
    "Show a document of a knowledge base",
    traits=(DOCUMENT,),
    responses=(SHOWN,),
)
async def get_document(request: Request) -> Response:
    _, row = await _readable(request)
    return SHOWN.make(document_view(row))


@operation(
    "indexKnowledgeDocument",
    "POST /knowledge/bases/{id:uuid}/documents/{document_id:uuid}/index",
    "Index a document again whose indexing has failed",
    traits=(DOCUMENT, RATE_LIMITED),
    parameters=SUBMITTED,
    responses=(ADDED,),
    errors=(AlreadyFinished, *SUBMISSION_ERRORS),
)
async def index_document(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    await settle_documents(request, base.id)
    row = await knowledge.documents.get(base.id, str(request.path_params["document_id"]))
    if row.processing_status == ProcessingStatus.COMPLETED:
        raise AlreadyFinished("the document is indexed: there is nothing to do")
    if row.processing_status == ProcessingStatus.FAILED:
        row = await _submitted(request, knowledge, row)
    return ADDED.make(document_view(row), rate_headers)


@operation(
    "deleteKnowledgeDocument",
    "DELETE /knowledge/bases/{id:uuid}/documents/{document_id:uuid}",
    "Delete a document of a knowledge base, with its chunks",
    traits=(DOCUMENT,),
    responses=(DELETED,),
)
async def delete_document(request: Request) -> Response:
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    await knowledge.documents.delete(base.id, str(request.path_params["document_id"]), actor_of(request))
    await knowledge.remove_pending()
    return Response(status_code=DELETED.status)


@operation(
    "listKnowledgeChunks",
    "GET /knowledge/bases/{id:uuid}/documents/{document_id:uuid}/chunks",
    "List the chunks of a document, as searches find them",
    traits=(DOCUMENT,),
    parameters=(FIRST, LIMIT),
    responses=(CHUNKS,),
)
async def list_chunks(request: Request) -> Response:
    knowledge, row = await _readable(request)
    first, limit = FIRST.read(request), LIMIT.read(request)
    chunks = await knowledge.index.chunks(row.base_id, row.id, first=first, limit=limit)
    return CHUNKS.make(
        KnowledgeChunkPage(items=[chunk_view(chunk) for chunk in chunks], total=row.chunk_count)
    )


async def _readable(request: Request) -> tuple[KnowledgeBases, KnowledgeDocument]:
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.base(id_in_path(request), get_principal(request).id)
    await settle_documents(request, base.id)
    return knowledge, await knowledge.documents.get(base.id, str(request.path_params["document_id"]))


DOCUMENT_OPERATIONS = (
    list_documents,
    add_document,
    get_document,
    index_document,
    delete_document,
    list_chunks,
)
