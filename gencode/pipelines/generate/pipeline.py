"""The `generate` pipeline: its stages, how a task is restored, and its messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from gencode.codegen.pieces import (
    Checkpoints,
    WritingJob,
    read_outlines,
    read_parts,
    read_pieces,
    read_repairs,
)
from gencode.domain.task import Status, Task
from gencode.engine.pipeline import Stage
from gencode.githosts.port import GitHost, Repository
from gencode.llm.budget import Budget, total
from gencode.llm.session import rejected_usages
from gencode.pipelines.generate.artifacts import Delivered, Draft, GenerateInput, Project, RepositoryCreated
from gencode.pipelines.generate.checkpoints import (
    APPROVED,
    PUSHED,
    REPOSITORY,
    PushCheckpoint,
    RepositoryCheckpoint,
    saved_plan,
)
from gencode.pipelines.generate.commit import read_commit
from gencode.pipelines.generate.creating_repo import CreatingRepo
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.messages import cached_note, repository_kept_note, status_text
from gencode.pipelines.generate.pushing import Pushing


class Generate:
    """Implements Pipeline. A task's `request` has the fields of the API's GenerateRequest, and the model that
    was chosen."""

    kind = "generate"

    def __init__(
        self, generating: Generating, merging: Merging, host: GitHost, *, workflows: bool = False
    ) -> None:
        self._stages = (generating, merging, CreatingRepo(host), Pushing(host))
        self._workflows = workflows

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, checkpoints: Checkpoints
    ) -> GenerateInput | Draft | Project | RepositoryCreated | Delivered:
        """The latest artifact that the checkpoints can make. Raises UnsafePath, UnsafeTree."""
        request, commit = _input(task, checkpoints), read_commit(checkpoints)
        if not commit:
            unfinished = task.status in (Status.PENDING, Status.GENERATING) or request.plan is None
            return request if unfinished else _draft(request)
        project = Project(request=request, snapshot=commit.snapshot(workflows=self._workflows))
        if REPOSITORY not in checkpoints:
            return project
        stored = RepositoryCheckpoint.model_validate_json(checkpoints[REPOSITORY])
        repo = Repository(**stored.model_dump())
        if PUSHED not in checkpoints:
            return RepositoryCreated(project=project, repo=repo)
        return Delivered(repo=repo, sha=PushCheckpoint.model_validate_json(checkpoints[PUSHED]).commit)

    def message(self, task: Task, status: Status) -> str:
        host = str(task.request.get("host") or "")
        text = status_text(status, task.language, str(task.request["model"]), host)
        if "cached_from" in task.result:
            text += cached_note(task.language, str(task.result["cached_from"]), task.result["similarity"])
        if status is Status.CANCELLED and "repo_url" in task.result:
            text += repository_kept_note(task.language, str(task.result["repo_url"]))
        return text


def _input(task: Task, checkpoints: Checkpoints) -> GenerateInput:
    plan, job = saved_plan(checkpoints), _job(task, checkpoints)
    asked = task.request
    return GenerateInput(
        task_id=task.id,
        client=task.client,
        model=str(asked["model"]),
        cache=_may_cache(task),
        name=str(asked["repo_name"]),
        org=asked.get("github_org"),
        host=str(asked.get("host") or ""),
        private=bool(asked.get("private", True)),
        allow_secrets=bool(asked.get("allow_secrets", False)),
        language=task.language,
        at=task.created_at,
        plan=plan.plan if plan else None,
        job=job,
        spent=total(*job.usages, *rejected_usages(checkpoints), *([plan.usage] if plan else [])),
        budget=_budget(task),
        include_report=bool(asked.get("include_report", False)),
        needs_approval=bool(asked.get("approve_plan")) and APPROVED not in checkpoints,
    )


def _job(task: Task, checkpoints: Checkpoints) -> WritingJob:
    return WritingJob(
        prompt=str(task.request["prompt"]),
        pieces=read_pieces(checkpoints),
        outlines=read_outlines(checkpoints),
        parts=read_parts(checkpoints),
        repairs=read_repairs(checkpoints),
        retries=task.retries,
        best_effort=task.request.get("deliver") == "best_effort",
    )


def _may_cache(task: Task) -> bool:
    """A plan that a person may change depends on more than the request."""
    return task.request.get("cache") is not False and not task.request.get("approve_plan")


def _budget(task: Task) -> Budget:
    cost, deadline = task.request.get("max_cost"), task.request.get("deadline")
    return Budget(
        tokens=task.request.get("max_tokens"),
        cost=None if cost is None else Decimal(str(cost)),
        deadline=datetime.fromisoformat(str(deadline)) if deadline else None,
    )


def _draft(request: GenerateInput) -> Draft:
    assert request.plan is not None  # noqa: S101 - the caller checked; a draft without a plan is a bug
    written = {file.path: request.job.pieces[file.path] for file in request.plan.files}
    return Draft(request=request, plan=request.plan, pieces=written, spent=request.spent)
