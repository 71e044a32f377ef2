"""The registration of the kind `index`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentError,
    DocumentKindError,
    DocumentReaderFailed,
    DocumentTooLarge,
    DocumentWithoutText,
)
from gencode.domain.errors import CrashLoop, Internal, Invalid, NotFound, TaskTimeout
from gencode.domain.task import PENDING, Task
from gencode.http.base_models import CALLBACK_URL_PATTERN
from gencode.http.kind_dependencies import CONFIG, KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, PreparedTask, Submission, Submitter
from gencode.llm.errors import (
    BudgetExceeded,
    LimitReached,
    LLMAuth,
    LLMBadOutput,
    LLMBadRequest,
    LLMBalance,
    LLMIncomplete,
    LLMNetwork,
    LLMQuota,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMTooLarge,
    LLMUnavailable,
    ProviderError,
)
from gencode.model_tasks.request import LimitsRetry, check_deadline, stored_request
from gencode.pipelines.index.messages import MESSAGES, STAGE_TITLES
from gencode.pipelines.index.pipeline import IndexPipeline, label
from gencode.pipelines.index.repository_reading import RepositoryReading
from gencode.pipelines.index.requests import IndexTaskFields, IndexTaskRequest
from gencode.pipelines.index.tools import search_tool
from gencode.retrieval.errors import EncoderMismatch, UnusableText
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind, stored_spec
from gencode.workspace.knowledge_bases.errors import DocumentDeleted, EncoderUnavailable, KnowledgeBaseFull
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.requests import INDEX, IndexRequest
from gencode.workspace.knowledge_bases.tables import KnowledgeBase
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import FETCH_ERRORS, CloneMissing, RefUnknown, RepositoryUnusable
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.resources.models import NO_ROW_ID

KIND = Kind(
    name=INDEX,
    title={"en": "Index documents", "zh": "索引文档"},
    stage_titles=STAGE_TITLES,
    request_model=IndexTaskRequest,
    submission=Submission(
        path="/knowledge/index",
        operation_id="indexKnowledgeBase",
        summary="Index what is missing of a knowledge base, or one of its documents",
        pattern_messages={
            "knowledge_base_id": NO_ROW_ID,
            "document_id": NO_ROW_ID,
            "repository_id": NO_ROW_ID,
            "callback_url": CALLBACK_URL_PATTERN,
        },
        tool_title="Index a knowledge base",
        tool_description=(
            "Index what is missing of a knowledge base, such as the vectors of another encoder. Answers at"
            " once with a task_id."
        ),
    ),
    view_model=IndexTaskFields,
    retry_model=LimitsRetry,
    errors=(
        *(ProviderError, LLMBadRequest, LLMAuth, LLMBalance, LLMQuota, LimitReached, LLMRefused),
        *(LLMTooLarge, LLMRateLimit, LLMUnavailable, LLMNetwork, LLMTimeout, LLMIncomplete, LLMBadOutput),
        *(BudgetExceeded, KnowledgeBaseFull, EncoderUnavailable, DocumentDeleted),
        *(DocumentError, DocumentKindError, DocumentEncrypted, DocumentWithoutText, DocumentTooLarge),
        *FETCH_ERRORS,
        *(RefUnknown, CloneMissing, NotFound),
        *(DocumentReaderFailed, EncoderMismatch, UnusableText, TaskTimeout, CrashLoop, Internal),
    ),
    event_names=(
        "document_read",
        "repository_read",
        "files_indexed",
        "document_indexed",
        "chunks_encoded",
        "usage",
        "retry",
    ),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    knowledge, sync = dependencies.extension(KnowledgeBases), RepositorySync.of(dependencies)
    repositories = RepositoryReading(knowledge, sync, dependencies.extension(RepositoryClones))
    return KindRuntime(
        pipeline=IndexPipeline(knowledge, repositories, dependencies.metrics, dependencies.price),
        prepare=partial(prepare, knowledge, sync),
        view=_fields,
        label=label,
        notification_fields=lambda task, event: _fields(task),
        tools=(search_tool(knowledge),),
    )


INDEX_KIND = KindFactory(kind=KIND, start=start)


async def prepare(
    knowledge: KnowledgeBases, sync: RepositorySync, request: IndexRequest, submitter: Submitter
) -> PreparedTask:
    """`request`: an IndexTaskRequest, or what the routes of documents submit. Raises Invalid, StoreError."""
    if isinstance(request, IndexTaskRequest):
        check_deadline(request)
    base = await _base(knowledge, request, submitter)
    stored = stored_request(request)
    parameters = {**stored, "knowledge_base_name": base.name, **await _model(knowledge, request, base)}
    if request.document_id:
        parameters["knowledge_document_name"] = await _document_name(knowledge, request, request.document_id)
    if request.repository_id:
        name = await _repository_name(sync, request, request.repository_id, submitter)
        parameters["knowledge_document_name"] = name
    name = parameters.get("knowledge_document_name") or base.name
    message = MESSAGES[PENDING][submitter.language].format(name=name)
    return PreparedTask(request=stored, parameters=parameters, message=message)


async def _base(knowledge: KnowledgeBases, request: IndexRequest, submitter: Submitter) -> KnowledgeBase:
    try:
        return await knowledge.own_base(request.knowledge_base_id, submitter.principal.id)
    except NotFound:
        message = "you have no knowledge base of this id"
        raise Invalid.of("knowledge_base_id", "known", message) from None


async def _document_name(knowledge: KnowledgeBases, request: IndexRequest, document_id: str) -> str:
    try:
        return (await knowledge.documents.get(request.knowledge_base_id, document_id)).name
    except NotFound:
        raise Invalid.of("document_id", "known", "the knowledge base has no document of this id") from None


async def _repository_name(
    sync: RepositorySync, request: IndexRequest, repository_id: str, submitter: Submitter
) -> str:
    if request.document_id:
        raise Invalid.of("repository_id", "exclusive", "give a document or a repository, not both")
    try:
        return (await sync.active(repository_id, submitter.principal.id)).name
    except RepositoryUnusable as error:
        raise Invalid.of("repository_id", "usable", error.message) from None


async def _model(knowledge: KnowledgeBases, request: IndexRequest, base: KnowledgeBase) -> dict[str, Any]:
    """The fields that say what the calls of the task cost. Raises Invalid."""
    spec = stored_spec(base.target_encoder)
    if spec is None or spec.kind is not EncoderKind.MODEL:
        return {}
    price = await knowledge.encoders.price(spec, base.owner)
    if getattr(request, "max_cost", None) is not None and price is None:
        raise Invalid.of("max_cost", "no_price", "the model config of the encoder has no price")
    return {
        "model": f"{CONFIG}{spec.config}",
        "price": price.model_dump(mode="json") if price else None,
    }


def _fields(task: Task) -> Mapping[str, Any]:
    given = task.parameters
    return {
        "knowledge_base_id": given.get("knowledge_base_id"),
        "knowledge_base_name": given.get("knowledge_base_name"),
        "knowledge_document_id": given.get("document_id"),
        "knowledge_document_name": given.get("knowledge_document_name"),
        "chunk_count": task.result.get("chunk_count"),
        "repository_id": given.get("repository_id"),
        "commit": task.result.get("commit"),
        "file_count": task.result.get("file_count"),
        "excluded_counts": task.result.get("excluded_counts"),
    }
