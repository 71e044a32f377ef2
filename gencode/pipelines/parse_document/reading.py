"""The only stage: reads the file in a limited child, and stores its text in the document."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.documents.document import Document
from gencode.documents.extractor import DocumentExtractor
from gencode.domain.errors import GencodeError, NotFound
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.store import Uploads

READING = "reading"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileToRead:
    task: TaskVersion
    owner: str
    document_id: str


class Reading:
    """A repetition reads the file again, with the same outcome."""

    def __init__(
        self, documents: RequirementDocuments, uploads: Uploads, extractor: DocumentExtractor
    ) -> None:
        self._documents = documents
        self._uploads = uploads
        self._extractor = extractor

    async def run(self, file: FileToRead, emit: Emit) -> FileToRead:
        """Raises DocumentError, DocumentReaderFailed, NotFound."""
        row = await self._documents.begin(file.document_id, file.owner, file.task)
        try:
            if row.upload_id is None:
                raise NotFound("the document has no file")
            data = await self._uploads.read(row.upload_id, file.owner)
            document = await self._extractor.extract(row.original_filename or "", data)
        except GencodeError as error:
            await self._documents.fail(file.document_id, file.owner, file.task, error.code, error.message)
            raise
        await self._documents.finish(file.document_id, file.owner, file.task, document)
        await emit(StageUpdate(kind="parsed", data=_facts(document), result=_facts(document)))
        return file


def _facts(document: Document) -> dict[str, object]:
    return {
        "characters": document.counts.characters,
        "pages": document.counts.pages,
        "sections": len(document.sections),
        "warnings": [warning.code.value for warning in document.warnings],
    }
