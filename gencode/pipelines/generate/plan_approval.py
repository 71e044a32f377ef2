"""A plan that waits for a person's word: changed by them, and approved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from gencode.codegen.planning import plan_progress
from gencode.domain.errors import Invalid, TreeError
from gencode.domain.tree import Paths
from gencode.engine.pipeline import StageUpdate
from gencode.pipelines.generate.artifacts import APPROVED, KeptApproval, KeptPlan, Plan, PlannedFile
from gencode.pipelines.generate.checkpoints import Checkpoints, kept_plan
from gencode.pipelines.generate.errors import PlanChanged

MOST_LISTED = 1000
"""Problems of a plan that are told; one of a megabyte can have hundreds of thousands."""
Matches = Callable[[int], bool]
"""Whether the revision of a plan is the one that the person has seen, or any will do."""


def prove(files: Sequence[PlannedFile], *, workflows: bool) -> None:
    """What a model's plan is proven to be, and that nothing in it is there twice or missing.

    Raises Invalid, which names each entry and the rule that it breaks.
    """
    if problems := list(islice(_problems(files, workflows), MOST_LISTED)):
        listed = "; ".join(f"{problem['field']}: {problem['message']}" for problem in problems[:5])
        raise Invalid(listed, problems)


def edited(
    checkpoints: Checkpoints,
    files: Sequence[PlannedFile],
    summary: str | None,
    model: str,
    matches: Matches,
    *,
    workflows: bool = False,
) -> StageUpdate:
    """The plan with these files from now on; `summary`: None leaves it. Raises PlanChanged, Invalid."""
    known = _known(checkpoints, matches)
    prove(files, workflows=workflows)
    plan = Plan(summary=known.plan.summary if summary is None else summary, files=tuple(files))
    changed = KeptPlan(plan=plan, usage=known.usage, revision=known.revision + 1)
    return plan_progress(changed, model)


def approved(checkpoints: Checkpoints, matches: Matches) -> StageUpdate:
    """Its files may be written. Raises PlanChanged."""
    revision = _known(checkpoints, matches).revision
    part = {APPROVED: KeptApproval(revision=revision).model_dump_json()}
    return StageUpdate(data={"revision": revision}, checkpoints=part)


def _known(checkpoints: Checkpoints, matches: Matches) -> KeptPlan:
    known = kept_plan(checkpoints)
    assert known is not None  # noqa: S101 - a task is held only once it has kept its plan
    if not matches(known.revision):
        raise PlanChanged(
            f"the plan was changed meanwhile and is at revision {known.revision}: read it again, then decide"
        )
    return known


def _problems(files: Sequence[PlannedFile], workflows: bool) -> Iterator[dict[str, str]]:
    together, seen = Paths(workflows=workflows), set[str]()
    planned = {file.path for file in files}
    for n, file in enumerate(files):
        try:
            together.enter(file.path)
        except TreeError as error:
            yield _problem(f"files.{n}.path", error.code.lower(), error.message)
        if file.path in seen:
            yield _problem(f"files.{n}.path", "duplicate", "this path is in the plan already")
        seen.add(file.path)
        for m, need in enumerate(file.needs):
            if need not in planned:
                yield _problem(f"files.{n}.needs.{m}", "unknown", "it names no file of this plan")


def _problem(field: str, rule: str, message: str) -> dict[str, str]:
    return {"field": field, "rule": rule, "message": message}
