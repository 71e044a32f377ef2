"""The `generate` pipeline: its stages, its memory, its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from gencode.domain.task import Status, Task
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


class Generate:
    """A task's `request` is what web.schemas.GenerateRequest has, with the model that was chosen."""

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
        """The furthest artifact that the kept parts make."""
        input = _brief(task, checkpoints)
        if "snapshot" not in checkpoints:
            unfinished = task.status in (Status.PENDING, Status.GENERATING) or input.plan is None
            return input if unfinished else _draft(input)
        snapshot = KeptSnapshot.model_validate_json(checkpoints["snapshot"])
        project = Project(input=input, snapshot=snapshot.snapshot(workflows=self._workflows))
        if "repo" not in checkpoints:
            return project
        repo = Repository(**KeptRepo.model_validate_json(checkpoints["repo"]).model_dump())
        if "pushed" not in checkpoints:
            return RepositoryCreated(project=project, repo=repo)
        return Delivered(repo=repo, sha=KeptPush.model_validate_json(checkpoints["pushed"]).commit)

    def message(self, task: Task, status: Status) -> str:
        host = str(task.request.get("host") or "")
        text = status_text(status, task.language, str(task.request["model"]), host)
        if "cached_from" in task.result:
            text += cached_note(task.language, str(task.result["cached_from"]), task.result["similarity"])
        if status is Status.CANCELLED and "repo_url" in task.result:
            text += left_behind(task.language, str(task.result["repo_url"]))
        return text


def _brief(task: Task, checkpoints: Checkpoints) -> GenerateInput:
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
        client=task.client,
        prompt=str(task.request["prompt"]),
        model=str(task.request["model"]),
        cache=_may_cache(task),
        name=str(task.request["repo_name"]),
        org=task.request.get("github_org"),
        host=str(task.request.get("host") or ""),
        private=bool(task.request.get("private", True)),
        allow_secrets=bool(task.request.get("allow_secrets", False)),
        language=task.language,
        at=task.created_at,
        plan=plan.plan if plan else None,
        pieces=first,
        spent=total(*calls, *wasted, *([plan.usage] if plan else [])),
        outlines=divided,
        parts=in_parts,
        repairs=repaired,
        budget=_budget(task),
        best_effort=task.request.get("deliver") == "best_effort",
        include_report=bool(task.request.get("include_report", False)),
        retries=task.retries,
        unapproved=bool(task.request.get("approve_plan")) and APPROVED not in checkpoints,
    )


def _may_cache(task: Task) -> bool:
    """A plan that a person looks at, and may change, is nobody else's answer."""
    return task.request.get("cache") is not False and not task.request.get("approve_plan")


def _budget(task: Task) -> Budget:
    cost, deadline = task.request.get("max_cost"), task.request.get("deadline")
    return Budget(
        tokens=task.request.get("max_tokens"),
        cost=None if cost is None else Decimal(str(cost)),
        deadline=datetime.fromisoformat(str(deadline)) if deadline else None,
    )


def _draft(input: GenerateInput) -> Draft:
    assert input.plan is not None  # noqa: S101 - the caller checked; a draft without a plan is a bug
    written = {file.path: input.pieces[file.path] for file in input.plan.files}
    return Draft(input=input, plan=input.plan, pieces=written, spent=input.spent)
