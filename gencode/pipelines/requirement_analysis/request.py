"""The request of an analysis, and its check."""

from __future__ import annotations

from pydantic import Field

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import PENDING
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import ModelTaskRequest, choose_model, stored_request
from gencode.pipelines.requirement_analysis.collecting import instructions_of
from gencode.pipelines.requirement_analysis.messages import MESSAGES
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.table import RequirementDocument
from gencode.workspace.resources.models import RowId
from gencode.workspace.workspace import Workspace


class RequirementAnalysisRequest(ModelTaskRequest):
    """Finds the requirements of a document. `template_id`: a prompt template with further wishes, in which
    {{ document }} and {{ language }} may stand."""

    document_id: RowId
    template_id: RowId | None = Field(None, description="Of a prompt template")


class Preparation:
    def __init__(self, workspace: Workspace, choose: ChooseModel) -> None:
        self._workspace = workspace
        self._documents = RequirementDocuments(workspace.database)
        self._choose = choose

    async def prepare(self, request: RequirementAnalysisRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid."""
        owner = submitter.principal.id
        row = await self._document(request.document_id, owner)
        try:
            await instructions_of(self._workspace, request.template_id, owner, row)
        except NotFound as error:
            raise Invalid.of("template_id", "unknown", error.message) from None
        model = await choose_model(request, submitter, self._choose)
        stored = {**stored_request(request), **model.parameters()}
        return PreparedTask(
            request=stored,
            parameters={**stored, "name": row.name},
            message=MESSAGES[PENDING][submitter.language],
        )

    async def _document(self, document_id: str, owner: str) -> RequirementDocument:
        try:
            row = await self._documents.get(document_id, owner)
        except NotFound as error:
            raise Invalid.of("document_id", "unknown", error.message) from None
        if row.original_content is None:
            message = Phrase("the document has no text: it is {status}", status=row.status)
            raise Invalid.of("document_id", "no_text", message)
        return row
