"""The registration of the kind `requirement_analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.errors import CrashLoop, Internal, NotFound, SecretFound, TaskTimeout, error_classes
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import LimitsRetry, limits_changes
from gencode.pipelines.requirement_analysis.analysing import Analysing
from gencode.pipelines.requirement_analysis.collecting import Collecting
from gencode.pipelines.requirement_analysis.delivering import Delivering
from gencode.pipelines.requirement_analysis.messages import STAGE_TITLES
from gencode.pipelines.requirement_analysis.pipeline import RequirementAnalysis
from gencode.pipelines.requirement_analysis.request import Preparation, RequirementAnalysisRequest
from gencode.pipelines.requirement_analysis.routes import get_markdown, get_requirements
from gencode.pipelines.requirement_analysis.work import ANALYSING
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.tasks import REQUIREMENT_ANALYSIS
from gencode.workspace.workspace import Workspace

_OF_RESULT = ("requirement_count", "contradiction_count", "is_complete")
_OF_PARAMETERS = ("document_id", "model")


class AnalysisFields(BaseModel):
    """Fields of a task's JSON that only these tasks have."""

    document_id: str | None = Field(None, description="Of the requirement document")
    model: str | None = None
    requirement_count: int | None = None
    contradiction_count: int | None = None
    is_complete: bool | None = Field(None, description="Whether every part of the document was analysed")


KIND = Kind(
    name=REQUIREMENT_ANALYSIS,
    title={"en": "Analyse requirements", "zh": "分析需求"},
    stage_titles=STAGE_TITLES,
    request_model=RequirementAnalysisRequest,
    submission=Submission(
        path="/pipelines/requirement-analysis",
        operation_id="analyseRequirements",
        summary="Find the requirements of a document",
        tool_title="Analyse requirements",
        tool_description=(
            "Find the requirements of a requirement document, with acceptance criteria, open questions and "
            "contradictions. Answers at once with a task_id."
        ),
    ),
    view_model=AnalysisFields,
    retry_model=LimitsRetry,
    errors=(
        *error_classes(ProviderError),
        BudgetExceeded,
        SecretFound,
        NotFound,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    event_names=("collected", "section", "compared", "requirements", "usage", "retry", "failover", "resumed"),
    milestones=(ANALYSING,),
    operations=(get_requirements, get_markdown),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    workspace, settings = dependencies.extension(Workspace), dependencies.settings
    analysing = Analysing(dependencies.sessions, settings.max_output_tokens, settings.files_at_once)
    documents = RequirementDocuments(workspace.database)
    return KindRuntime(
        pipeline=RequirementAnalysis(
            Collecting(workspace), analysing, Delivering(documents), dependencies.price
        ),
        prepare=Preparation(workspace, dependencies.choose_model).prepare,
        view=_fields,
        label=lambda task: str(task.parameters.get("name") or task.id),
        notification_fields=_notification_fields,
        retry_changes=partial(limits_changes, dependencies.price),
    )


def _fields(task: Task) -> Mapping[str, Any]:
    return {
        **{name: task.parameters.get(name) for name in _OF_PARAMETERS},
        **{name: task.result.get(name) for name in _OF_RESULT},
    }


def _notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return {"document_id": task.parameters.get("document_id"), "name": task.parameters.get("name")}


REQUIREMENT_ANALYSES = KindFactory(kind=KIND, start=start)
