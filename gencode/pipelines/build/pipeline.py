"""The pipeline: its stages, and how a task is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.certification import Certificate
from gencode.delivery.artifacts import REPOSITORY, Delivered, RepositoryCreated, restored_delivery
from gencode.delivery.pushing import Pushing
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.githosts.port import RepositorySpec
from gencode.http.kinds import APPROVED
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.build.approving_migration import ApprovingMigration, needs_approval
from gencode.pipelines.build.archiving import Archiving
from gencode.pipelines.build.artifacts import (
    Archived,
    ArchiveFacts,
    Built,
    Given,
    HoleOutcome,
    HoleOutcomes,
    RenderedProject,
    UpdateTarget,
)
from gencode.pipelines.build.delivering import CreatingBuildRepo, is_delivered, project_of
from gencode.pipelines.build.messages import message
from gencode.pipelines.build.names import (
    APPROVING,
    ARCHIVED,
    ARCHIVING,
    CERTIFICATE,
    CREATING_REPO,
    HOLES,
    PUSHING,
    RENDERED,
    RENDERING,
    UPDATING,
    VERIFYING,
    WRITING,
)
from gencode.pipelines.build.rendering import Rendering
from gencode.pipelines.build.updating_repo import UpdatingRepo, is_update
from gencode.pipelines.build.verifying import Verifying
from gencode.pipelines.build.writing_holes import WritingHoles, has_holes


class Build:
    """Implements Pipeline."""

    def __init__(
        self,
        rendering: Rendering,
        approving: ApprovingMigration,
        writing: WritingHoles,
        archiving: Archiving,
        verifying: Verifying,
        creating: CreatingBuildRepo,
        pushing: Pushing,
        updating: UpdatingRepo,
        price: FindPrice,
        *,
        author: str,
        forge: str,
        is_off: bool,
    ) -> None:
        """
        author  of the commit
        forge   the address of the local forge
        is_off  whether the sandbox is
        """
        self._stages = (
            Stage(name=RENDERING, run=rendering),
            Stage(name=APPROVING, run=approving, applies=needs_approval),
            Stage(name=WRITING, run=writing, applies=has_holes),
            Stage(name=ARCHIVING, run=archiving),
            Stage(name=VERIFYING, run=verifying),
            Stage(name=CREATING_REPO, run=creating, applies=is_delivered),
            Stage(name=PUSHING, run=pushing, applies=is_delivered),
            Stage(name=UPDATING, run=updating, applies=is_update),
        )
        self._price = price
        self._author = author
        self._forge = forge
        self._is_off = is_off

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints
    ) -> Given | Built | Archived | RepositoryCreated | Delivered:
        given = _given(task, request, checkpoints)
        built = built_of(given, checkpoints)
        if built is None or ARCHIVED not in checkpoints:
            return built or given
        stored = checkpoints.get(CERTIFICATE)
        archived = Archived(
            built=built,
            facts=ArchiveFacts.model_validate_json(checkpoints[ARCHIVED]),
            certificate=Certificate.model_validate_json(stored) if stored else None,
        )
        if REPOSITORY not in checkpoints or (project := project_of(archived, self._author)) is None:
            return archived
        return restored_delivery(project, checkpoints, self._forge) or archived

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        return message(task, status, self._is_off)


def built_of(given: Given, checkpoints: Checkpoints) -> Built | None:
    if RENDERED not in checkpoints:
        return None
    rendered = RenderedProject.model_validate_json(checkpoints[RENDERED])
    return Built(given=given, rendered=rendered, holes=_outcomes(checkpoints))


def _outcomes(checkpoints: Checkpoints) -> tuple[HoleOutcome, ...]:
    stored = checkpoints.get(HOLES)
    return HoleOutcomes.model_validate_json(stored).holes if stored else ()


def _given(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Given:
    return Given(
        run=ModelRun.of(task, request, checkpoints),
        blueprint_id=request["blueprint_id"],
        version_tag=request["version_tag"],
        blueprint=request["blueprint"],
        predecessors=tuple(request.get("predecessors") or ()),
        digest=request["blueprint_digest"],
        project_name=request["project_name"],
        stack=request["stack"],
        scope=request["scope"],
        holes=request.get("holes", "model"),
        repository=_repository(task, request),
        update=UpdateTarget.model_validate(request["update"]) if request.get("update") else None,
        template_set=request.get("template_content"),
        regenerates=request.get("regenerates"),
        language=task.language,
        may_lose_data=bool(request.get("allow_data_loss")) or APPROVED in checkpoints,
    )


def _repository(task: Task, request: Mapping[str, Any]) -> RepositorySpec | None:
    wanted = request.get("deliver")
    if not wanted:
        return None
    return RepositorySpec(
        name=wanted["repo_name"],
        org=wanted.get("github_org"),
        private=wanted.get("private", True),
        description=f"{request['project_name']}: built by gencode",
        marker=f"gencode:{task.id}",
        host=request.get("host") or "",
    )
