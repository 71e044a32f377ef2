"""The `generate` pipeline: its stages, its memory, its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from gencode.host import Host, Repo
from gencode.pipeline import Stage
from gencode.pipelines.generate.artifacts import (
    APPROVED,
    PIECE,
    Brief,
    Delivered,
    Draft,
    KeptPush,
    KeptRepo,
    KeptSnapshot,
    KeptUsage,
    Placed,
    Project,
)
from gencode.pipelines.generate.creating_repo import CreatingRepo
from gencode.pipelines.generate.generating import Generating
from gencode.pipelines.generate.kept import Kept, kept_plan, outlines, parts, pieces, repairs
from gencode.pipelines.generate.merging_files import Merging
from gencode.pipelines.generate.messages import cached_note, left_behind, status_text
from gencode.pipelines.generate.pushing import Pushing
from gencode.pipelines.generate.spending import Budget, total
from gencode.task import Status, Task


class Generate:
    """A task's `request` is what web.schemas.GenerateRequest has, with the model that was chosen."""

    kind = "generate"

    def __init__(
        self, generating: Generating, merging: Merging, host: Host, *, workflows: bool = False
    ) -> None:
        self._stages = (generating, merging, CreatingRepo(host), Pushing(host))
        self._workflows = workflows

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, kept: Kept) -> Brief | Draft | Project | Placed | Delivered:
        """The furthest artifact that the kept parts make."""
        brief = _brief(task, kept)
        if "snapshot" not in kept:
            unfinished = task.status in (Status.PENDING, Status.GENERATING) or brief.plan is None
            return brief if unfinished else _draft(brief)
        snapshot = KeptSnapshot.model_validate_json(kept["snapshot"])
        project = Project(brief=brief, snapshot=snapshot.snapshot(workflows=self._workflows))
        if "repo" not in kept:
            return project
        repo = Repo(**KeptRepo.model_validate_json(kept["repo"]).model_dump())
        if "pushed" not in kept:
            return Placed(project=project, repo=repo)
        return Delivered(repo=repo, sha=KeptPush.model_validate_json(kept["pushed"]).commit)

    def message(self, task: Task, status: Status) -> str:
        host = str(task.request.get("host") or "")
        text = status_text(status, task.language, str(task.request["model"]), host)
        if "cached_from" in task.result:
            text += cached_note(task.language, str(task.result["cached_from"]), task.result["similarity"])
        if status is Status.CANCELLED and "repo_url" in task.result:
            text += left_behind(task.language, str(task.result["repo_url"]))
        return text


def _brief(task: Task, kept: Kept) -> Brief:
    plan, first, repaired = kept_plan(kept), pieces(kept, PIECE), repairs(kept)
    divided, in_parts = outlines(kept), parts(kept)
    written = [first, *in_parts.values(), *repaired.values()]
    calls = [piece.usage for files in written for of_file in files.values() for piece in of_file]
    calls += [outline.usage for outline in divided.values()]
    wasted = [KeptUsage.model_validate_json(kept[name]).usage for name in kept if name.startswith("wasted:")]
    return Brief(
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
        unapproved=bool(task.request.get("approve_plan")) and APPROVED not in kept,
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


def _draft(brief: Brief) -> Draft:
    assert brief.plan is not None  # noqa: S101 - the caller checked; a draft without a plan is a bug
    written = {file.path: brief.pieces[file.path] for file in brief.plan.files}
    return Draft(brief=brief, plan=brief.plan, pieces=written, spent=brief.spent)
