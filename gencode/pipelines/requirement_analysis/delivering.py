"""The last stage: the requirements go into the document."""

from __future__ import annotations

from contextlib import suppress

from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit
from gencode.pipelines.requirement_analysis.markdown import document_markdown
from gencode.pipelines.requirement_analysis.work import Work
from gencode.workspace.requirement_documents.documents import RequirementDocuments


class Delivering:
    def __init__(self, documents: RequirementDocuments) -> None:
        self._documents = documents

    async def run(self, work: Work, emit: Emit) -> Work:
        """A document that was deleted meanwhile gets nothing: the task has the requirements."""
        assert work.analysis is not None  # noqa: S101 - the stage before made it
        with suppress(NotFound):
            await self._documents.store_analysis(
                work.document_id, work.run.principal, work.analysis, document_markdown(work.analysis)
            )
        return work
