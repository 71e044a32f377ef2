"""The registration of the kind `blueprint`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.errors import (
    CrashLoop,
    Forbidden,
    Internal,
    NotFound,
    SecretFound,
    TaskTimeout,
    error_classes,
)
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, Submission
from gencode.llm.errors import BudgetExceeded, ProviderError
from gencode.model_tasks.request import LimitsRetry, limits_changes
from gencode.pipelines.blueprint.collecting import Collecting
from gencode.pipelines.blueprint.delivering import Delivering
from gencode.pipelines.blueprint.detailing import Detailing
from gencode.pipelines.blueprint.messages import STAGE_TITLES
from gencode.pipelines.blueprint.names import BLUEPRINT_KIND, DETAILING, OUTLINING
from gencode.pipelines.blueprint.outlining import Outlining
from gencode.pipelines.blueprint.pipeline import BlueprintPipeline
from gencode.pipelines.blueprint.repairing import Repairing
from gencode.pipelines.blueprint.request import BlueprintRequest, Preparation
from gencode.pipelines.blueprint.routes import get_task_blueprint, parse_for_blueprint
from gencode.pipelines.blueprint.tools import blueprint_tool
from gencode.workspace.errors import BlueprintPublished, ProjectArchived
from gencode.workspace.workspace import Workspace

_OF_RESULT = (
    "proposal_id",
    "version_tag",
    "entity_count",
    "page_count",
    "error_count",
    "warning_count",
    "change_count",
    "is_complete",
    "by_rules",
)


class BlueprintFields(BaseModel):
    """Fields of a task's JSON that only these tasks have."""

    blueprint_id: str | None = Field(None, description="Of the draft: the new one, or the one to be changed")
    blueprint_name: str | None = Field(None, description="As asked for; else the first line of the text")
    proposal_id: str | None = Field(None, description="Of the proposed change")
    project_id: str | None = None
    version_tag: str | None = None
    model: str | None = None
    entity_count: int | None = None
    page_count: int | None = None
    error_count: int | None = Field(None, description="Findings that prevent publishing")
    warning_count: int | None = None
    change_count: int | None = None
    is_complete: bool | None = Field(None, description="Whether everything was described that was outlined")
    by_rules: bool | None = Field(None, description="Whether the offline model's rules made it")


KIND = Kind(
    name=BLUEPRINT_KIND,
    title={"en": "Make a blueprint", "zh": "生成蓝图"},
    stage_titles=STAGE_TITLES,
    request_model=BlueprintRequest,
    submission=Submission(
        path="/pipelines/blueprint",
        operation_id="makeBlueprint",
        summary="Make a blueprint of requirements, or propose a change of one",
        tool_title="Make a blueprint",
        tool_description=(
            "Make a blueprint (data models, pages, apis, business flows) of requirements: a text, "
            "requirement documents, or both. With blueprint_id, propose a change of that draft, which a "
            "person accepts. Answers at once with a task_id."
        ),
        errors=(NotFound, Forbidden, ProjectArchived, BlueprintPublished),
    ),
    view_model=BlueprintFields,
    retry_model=LimitsRetry,
    errors=(
        *error_classes(ProviderError),
        BudgetExceeded,
        SecretFound,
        NotFound,
        Forbidden,
        ProjectArchived,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    event_names=(
        "collected",
        "outline",
        "element",
        "group",
        "findings",
        "repaired",
        "stored",
        "usage",
        "retry",
        "failover",
        "resumed",
    ),
    milestones=(OUTLINING, DETAILING),
    operations=(parse_for_blueprint, get_task_blueprint),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    workspace, settings = dependencies.extension(Workspace), dependencies.settings
    sessions, most = dependencies.sessions, settings.max_output_tokens
    return KindRuntime(
        pipeline=BlueprintPipeline(
            Collecting(workspace),
            Outlining(sessions, most),
            Detailing(sessions, most, settings.files_at_once),
            Repairing(sessions, most),
            Delivering(workspace),
            dependencies.price,
        ),
        prepare=Preparation(workspace, dependencies.choose_model).prepare,
        view=_fields,
        label=_label,
        notification_fields=_notification_fields,
        retry_changes=partial(limits_changes, dependencies.price),
        tools=(blueprint_tool(dependencies.store, dependencies.checkpoint_reader),),
    )


def _label(task: Task) -> str:
    return str(task.parameters.get("title") or task.id)


def _fields(task: Task) -> Mapping[str, Any]:
    return {
        "model": task.parameters.get("model"),
        "project_id": task.parameters.get("project_id"),
        "blueprint_name": task.parameters.get("title"),
        "blueprint_id": task.result.get("blueprint_id") or task.parameters.get("blueprint_id"),
        **{name: task.result.get(name) for name in _OF_RESULT},
    }


def _notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return {"blueprint_id": _fields(task)["blueprint_id"], "name": _label(task)}


BLUEPRINT_PARSES = KindFactory(kind=KIND, start=start)
