"""The `generate` pipeline: its stages, how a task is restored, and its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.codegen.file_checkpoints import (
    Checkpoints,
    WritingJob,
    read_outlines,
    read_parts,
    read_pieces,
    read_repairs,
)
from gencode.delivery.artifacts import Delivered, RepositoryCreated, restored_delivery
from gencode.delivery.creating_repo import CreatingRepo
from gencode.delivery.pushing import Pushing
from gencode.domain.task import PENDING, Task
from gencode.engine.ports.pipeline import Stage, StageUpdate
from gencode.githosts.port import GitHost
from gencode.http.kind_dependencies import is_config, task_price
from gencode.llm.budget import total
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.interrupted_calls import FindPrice, lost_call_updates
from gencode.llm.model_route import Failover
from gencode.llm.port import Usage
from gencode.model_tasks.request import budget_of
from gencode.pipelines.generate.checkpoints import APPROVED, saved_plan
from gencode.pipelines.generate.commit_checkpoint import read_commit
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.messages import cached_note, repository_kept_note, status_text, template_note
from gencode.pipelines.generate.repository_check import CheckedGenerating
from gencode.pipelines.generate.stage_artifacts import Draft, GenerateInput, Project
from gencode.pipelines.generate.stage_names import CREATING_REPO, GENERATING, MERGING, PUSHING
from gencode.pipelines.generate.task_template import template_of


class Generate:
    """Implements Pipeline. A task's `request` has the fields of the API's GenerateRequest, and the model that
    was chosen."""

    def __init__(
        self,
        generating: Generating,
        merging: Merging,
        host: GitHost,
        *,
        workflows: bool = False,
        price: FindPrice = lambda model: None,
        forge: str = "",
    ) -> None:
        """`forge`: the address of the local forge."""
        self._stages = (
            Stage(name=GENERATING, run=CheckedGenerating(host, generating)),
            Stage(name=MERGING, run=merging),
            Stage(name=CREATING_REPO, run=CreatingRepo(host)),
            Stage(name=PUSHING, run=Pushing(host)),
        )
        self._workflows = workflows
        self._price = price
        self._forge = forge

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints
    ) -> GenerateInput | Draft | Project | RepositoryCreated | Delivered:
        """The latest artifact that the checkpoints can make. Raises UnsafePath, UnsafeTree."""
        given, commit = _input(task, request, checkpoints), read_commit(checkpoints)
        if not commit:
            unfinished = task.stage in ("", GENERATING) or given.plan is None
            return given if unfinished else _draft(given)
        project = Project(request=given, snapshot=commit.snapshot(workflows=self._workflows))
        return restored_delivery(project, checkpoints, self._forge) or project

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        def spent(settled: Checkpoints) -> Usage:
            return _spent(_job(task, {"prompt": ""}, settled), settled)

        return [*lost_call_updates(checkpoints, spent, lambda: task_price(task.parameters, self._price))]

    def message(self, task: Task, status: str) -> str:
        host = str(task.parameters.get("host") or "")
        text = status_text(status, task.language, str(task.parameters["model"]), host)
        if status in (PENDING, "completed") and (template := template_of(task)):
            text += template_note(task.language, template, str(task.parameters["model"]))
        if "cached_from" in task.result:
            text += cached_note(task.language, str(task.result["cached_from"]), task.result["similarity"])
        if status == "cancelled" and "repo_url" in task.result:
            text += repository_kept_note(task.language, str(task.result["repo_url"]))
        return text


def _input(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> GenerateInput:
    plan, job = saved_plan(checkpoints), _job(task, request, checkpoints)
    return GenerateInput(
        task_id=task.id,
        client=task.principal.id,
        model=str(request["model"]),
        cache=_may_cache(request),
        name=str(request["repo_name"]),
        org=request.get("github_org"),
        host=str(request.get("host") or ""),
        private=bool(request.get("private", True)),
        allow_secrets=bool(request.get("allow_secrets", False)),
        language=task.language,
        at=task.created_at,
        plan=plan.plan if plan else None,
        job=job,
        spent=_spent(job, checkpoints),
        budget=budget_of(request),
        failover=Failover.of(task.parameters, checkpoints),
        include_report=bool(request.get("include_report", False)),
        needs_approval=bool(request.get("approve_plan")) and APPROVED not in checkpoints,
    )


def _spent(job: WritingJob, checkpoints: Checkpoints) -> Usage:
    plan = saved_plan(checkpoints)
    return total(*job.usages, *usages_without_answer(checkpoints), *([plan.usage] if plan else []))


def _job(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> WritingJob:
    return WritingJob(
        prompt=str(request["prompt"]),
        pieces=read_pieces(checkpoints),
        outlines=read_outlines(checkpoints),
        parts=read_parts(checkpoints),
        repairs=read_repairs(checkpoints),
        retries=task.retries,
        best_effort=request.get("deliver") == "best_effort",
    )


def _may_cache(request: Mapping[str, Any]) -> bool:
    """Whether the prompt cache may be used. A plan that a user may change depends on more than the request,
    and so does the answer of a model config."""
    return (
        request.get("cache") is not False
        and not request.get("approve_plan")
        and not is_config(str(request["model"]))
    )


def _draft(request: GenerateInput) -> Draft:
    assert request.plan is not None  # noqa: S101 - the caller checked; a draft without a plan is a bug
    written = {file.path: request.job.pieces[file.path] for file in request.plan.files}
    return Draft(request=request, plan=request.plan, pieces=written, spent=request.spent)
