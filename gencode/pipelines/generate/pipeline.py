"""The `generate` pipeline: its stages, its memory, its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gencode.domain.task import Task
from gencode.engine.pipeline import Stage
from gencode.githosts.port import GitHost, Repository
from gencode.llm.budget import Budget, total
from gencode.pipelines.generate.artifacts import (
    APPROVED,
    PIECE,
    Delivered,
    Draft,
    GenerateInput,
    KeptPush,
    KeptRepo,
    KeptSnapshot,
    KeptUsage,
    Project,
    RepositoryCreated,
)
from gencode.pipelines.generate.checkpoints import Checkpoints, kept_plan, outlines, parts, pieces, repairs
from gencode.pipelines.generate.creating_repo import CreatingRepo
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.messages import cached_note, left_behind, status_text
from gencode.pipelines.generate.pushing import Pushing
from gencode.pipelines.generate.stages import CREATING_REPO, GENERATING, MERGING, PUSHING


class Generate:
    """See gencode.engine.pipeline.Pipeline. The request is a GenerateRequest with the model that was chosen."""

    def __init__(
        self, generating: Generating, merging: Merging, host: GitHost, *, workflows: bool = False
    ) -> None:
        self._stages = (
            Stage(name=GENERATING, run=generating),
            Stage(name=MERGING, run=merging),
            Stage(name=CREATING_REPO, run=CreatingRepo(host)),
            Stage(name=PUSHING, run=Pushing(host)),
        )
        self._workflows = workflows

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints
    ) -> GenerateInput | Draft | Project | RepositoryCreated | Delivered:
        """The furthest artifact that the kept parts make."""
        input = _input(task, request, checkpoints)
        if "snapshot" not in checkpoints:
            unfinished = task.stage in ("", GENERATING) or input.plan is None
            return input if unfinished else _draft(input)
        snapshot = KeptSnapshot.model_validate_json(checkpoints["snapshot"])
        project = Project(input=input, snapshot=snapshot.snapshot(workflows=self._workflows))
        if "repo" not in checkpoints:
            return project
        repo = Repository(**KeptRepo.model_validate_json(checkpoints["repo"]).model_dump())
        if "pushed" not in checkpoints:
            return RepositoryCreated(project=project, repo=repo)
        return Delivered(repo=repo, sha=KeptPush.model_validate_json(checkpoints["pushed"]).commit)

    def message(self, task: Task, status: str) -> str:
        host = str(task.parameters.get("host") or "")
        text = status_text(status, task.language, str(task.parameters["model"]), host)
        if "cached_from" in task.result:
            text += cached_note(task.language, str(task.result["cached_from"]), task.result["similarity"])
        if status == "cancelled" and "repo_url" in task.result:
            text += left_behind(task.language, str(task.result["repo_url"]))
        return text


def _input(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> GenerateInput:
    plan, first, repaired = kept_plan(checkpoints), pieces(checkpoints, PIECE), repairs(checkpoints)
    divided, in_parts = outlines(checkpoints), parts(checkpoints)
    written = [first, *in_parts.values(), *repaired.values()]
    calls = [piece.usage for files in written for of_file in files.values() for piece in of_file]
    calls += [outline.usage for outline in divided.values()]
    wasted = [
        KeptUsage.model_validate_json(checkpoints[name]).usage
        for name in checkpoints
        if name.startswith("wasted:")
    ]
    return GenerateInput(
        task_id=task.id,
        client=task.principal.id,
        prompt=str(request["prompt"]),
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
        pieces=first,
        spent=total(*calls, *wasted, *([plan.usage] if plan else [])),
        outlines=divided,
        parts=in_parts,
        repairs=repaired,
        budget=_budget(request),
        best_effort=request.get("deliver") == "best_effort",
        include_report=bool(request.get("include_report", False)),
        retries=task.retries,
        unapproved=bool(request.get("approve_plan")) and APPROVED not in checkpoints,
    )


def _may_cache(request: Mapping[str, Any]) -> bool:
    """A plan that a person looks at, and may change, is nobody else's answer."""
    return request.get("cache") is not False and not request.get("approve_plan")


def _budget(request: Mapping[str, Any]) -> Budget:
    cost, deadline = request.get("max_cost"), request.get("deadline")
    return Budget(
        tokens=request.get("max_tokens"),
        cost=None if cost is None else Decimal(str(cost)),
        deadline=datetime.fromisoformat(str(deadline)) if deadline else None,
    )


def _draft(input: GenerateInput) -> Draft:
    assert input.plan is not None  # noqa: S101 - the caller checked; a draft without a plan is a bug
    written = {file.path: input.pieces[file.path] for file in input.plan.files}
    return Draft(input=input, plan=input.plan, pieces=written, spent=input.spent)
