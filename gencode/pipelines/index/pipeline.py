"""The pipeline of the kind `index`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from gencode.documents.extractor import DocumentExtractor
from gencode.domain.errors import Conflict, GencodeError, StoreError
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, Stage, StageUpdate
from gencode.http.kind_dependencies import task_price
from gencode.llm.interrupted_calls import FindPrice, lost_call_updates
from gencode.observability.metrics import Metrics
from gencode.pipelines.index.encoding import Encoding
from gencode.pipelines.index.indexing import Indexing
from gencode.pipelines.index.messages import ENCODING, INDEXING, MESSAGES, READING
from gencode.pipelines.index.reading import Reading
from gencode.pipelines.index.repository_reading import RepositoryReading
from gencode.pipelines.index.work import IndexWork, spent
from gencode.workspace.knowledge_bases.errors import DocumentDeleted
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases

log = structlog.get_logger(__name__)
RunStage = Callable[[IndexWork, Emit], Awaitable[IndexWork]]


class IndexPipeline:
    """Implements Pipeline."""

    def __init__(
        self, knowledge: KnowledgeBases, repositories: RepositoryReading, metrics: Metrics, price: FindPrice
    ) -> None:
        reading = Reading(knowledge, DocumentExtractor(), repositories)
        indexing = Indexing(knowledge)
        encoding = Encoding(knowledge, indexing, metrics)
        guarded = partial(_with_failure, knowledge)
        self._stages = (
            Stage(name=READING, run=guarded(reading), applies=lambda work: work.is_of_documents),
            Stage(name=INDEXING, run=guarded(indexing)),
            Stage(name=ENCODING, run=guarded(encoding)),
        )
        self._price = price

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> IndexWork:
        return IndexWork.of(task, request, checkpoints, self.final_updates(task, checkpoints))

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return [*lost_call_updates(checkpoints, spent, lambda: task_price(task.parameters, self._price))]

    def message(self, task: Task, status: str) -> str:
        return MESSAGES[status][task.language].format(name=label(task))


def label(task: Task) -> str:
    """The document, or the base, that a task indexes."""
    given = task.parameters
    return str(given.get("knowledge_document_name") or given.get("knowledge_base_name") or task.id)


def _with_failure(knowledge: KnowledgeBases, run: RunStage) -> RunStage:
    """The stage, whose failure is stored with the document, too."""

    async def run_stage(work: IndexWork, emit: Emit) -> IndexWork:
        if work.document_id:
            await knowledge.documents.processing(work.document_id, work.task)
        elif work.repository_id:
            await knowledge.repository_documents.resumed(work.base_id, work.task)
        try:
            return await run(work, emit)
        except (StoreError, Conflict, DocumentDeleted):
            raise
        except GencodeError as error:
            if work.document_id:
                await knowledge.fail(work.base_id, work.document_id, work.task, error.code, error.message)
            elif work.repository_id:
                await knowledge.fail_task(work.base_id, work.task, error.code, error.message)
            raise

    return run_stage
