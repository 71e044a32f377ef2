"""The registration of the kind `parse_document`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentKindError,
    DocumentReaderFailed,
    DocumentTooLarge,
    DocumentUnreadable,
    DocumentWithoutText,
)
from gencode.documents.extractor import DocumentExtractor
from gencode.domain.errors import CrashLoop, Internal, Invalid, NotFound, TaskTimeout
from gencode.domain.task import PENDING, Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, PreparedTask, Submission, Submitter
from gencode.pipelines.parse_document.reading import READING, FileToRead, Reading
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.tasks import PARSE_DOCUMENT, ParseDocumentRequest
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace

_MESSAGES: Mapping[str, tuple[str, str]] = {
    PENDING: ("The document is stored and will be read", "文档已保存，等待读取"),
    READING: ("Reading the document", "正在读取文档"),
    "completed": ("The document is read", "文档已读取"),
    "cancelled": ("The reading was cancelled", "已取消读取"),
}


class ParsedFields(BaseModel):
    """Fields of a task's JSON that only these tasks have."""

    document_id: str | None = Field(None, description="Of the requirement document")


class ParseDocument:
    """See gencode.engine.ports.pipeline.Pipeline."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    @property
    def stages(self) -> Sequence[Stage]:
        return (Stage(name=READING, run=self._reading.run),)

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> FileToRead:
        return FileToRead(
            task=TaskVersion.of(task), owner=task.principal.id, document_id=str(request["document_id"])
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return _MESSAGES[status][task.language == "zh"]


class _Preparation:
    def __init__(self, documents: RequirementDocuments) -> None:
        self._documents = documents

    async def prepare(self, request: ParseDocumentRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid."""
        try:
            row = await self._documents.get(request.document_id, submitter.principal.id)
        except NotFound as error:
            raise Invalid.of("document_id", "unknown", error.message) from None
        if row.upload_id is None:
            raise Invalid.of("document_id", "no_file", "the document was typed: it has no file to read")
        fields = {"document_id": row.id, "name": row.name}
        return PreparedTask(
            request=fields,
            parameters=fields,
            message=_MESSAGES[PENDING][submitter.language == "zh"],
        )


KIND = Kind(
    name=PARSE_DOCUMENT,
    title={"en": "Read an uploaded document", "zh": "读取上传的文档"},
    stage_titles={READING: {"en": "Reading the document", "zh": "读取文档"}},
    request_model=ParseDocumentRequest,
    submission=Submission(
        path="/pipelines/parse-document",
        operation_id="parseDocument",
        summary="Read the file of a requirement document",
        tool_title="Read an uploaded document",
        tool_description=(
            "Read the file of a requirement document again, by document_id. Answers at once with a task_id."
        ),
    ),
    view_model=ParsedFields,
    errors=(
        DocumentUnreadable,
        DocumentKindError,
        DocumentEncrypted,
        DocumentWithoutText,
        DocumentTooLarge,
        DocumentReaderFailed,
        NotFound,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    event_names=("parsed",),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    workspace = dependencies.extension(Workspace)
    documents = RequirementDocuments(workspace.database)
    reading = Reading(documents, workspace.uploads, DocumentExtractor())
    return KindRuntime(
        pipeline=ParseDocument(reading),
        prepare=_Preparation(documents).prepare,
        view=lambda task: {"document_id": task.parameters.get("document_id")},
        label=lambda task: str(task.parameters.get("name") or task.id),
        calls_model=lambda task: False,
    )


PARSE_DOCUMENTS = KindFactory(kind=KIND, start=start)
