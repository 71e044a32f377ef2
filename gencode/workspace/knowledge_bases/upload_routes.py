"""Upload of a file into a knowledge base."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.file_body import FileBody
from gencode.http.operation import operation
from gencode.http.submit_operation import SUBMISSION_ERRORS
from gencode.workspace.knowledge_bases.document_routes import ADDED, KNOWN, SUBMITTED, indexed_if_needed
from gencode.workspace.knowledge_bases.documents import uploaded_document
from gencode.workspace.knowledge_bases.errors import KnowledgeBaseFull
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.parameters import ONE, actor_of, id_in_path


class KnowledgeUploadFields(BaseModel):
    """The form has no fields besides the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


UPLOAD = FileBody(model=KnowledgeUploadFields)


@operation(
    "uploadKnowledgeDocument",
    "POST /knowledge/bases/{id:uuid}/documents/upload",
    "Upload a document into a knowledge base, and index it: .txt, .md, .pdf, .doc or .docx",
    traits=(ONE, RATE_LIMITED),
    parameters=SUBMITTED,
    body=UPLOAD,
    responses=(ADDED, KNOWN),
    errors=(KnowledgeBaseFull, *SUBMISSION_ERRORS),
)
async def upload_document(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    knowledge = get_extension(request, KnowledgeBases)
    base = await knowledge.own_base(id_in_path(request), get_principal(request).id)
    async with knowledge.workspace.uploads.receive(request, UPLOAD, base.owner) as received:
        new = uploaded_document(received.row)
        row, is_new = await knowledge.documents.add(base, new, actor_of(request))
    return await indexed_if_needed(request, knowledge, row, rate_headers, is_new=is_new)
