"""Changes and approvals of a plan that waits for a user's decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from gencode.codegen.binary_files import is_binary
from gencode.codegen.file_checkpoints import Checkpoints
from gencode.codegen.plan import LeftOut, Plan, PlanCheckpoint, PlannedFile
from gencode.codegen.plan_request import plan_update
from gencode.domain.errors import Invalid, TreeError
from gencode.domain.phrase import Phrase
from gencode.domain.tree import PathSet
from gencode.engine.ports.pipeline import StageUpdate
from gencode.pipelines.generate.checkpoints import APPROVED, ApprovalCheckpoint, saved_plan
from gencode.pipelines.generate.errors import PlanChanged

MAX_PROBLEMS = 1000
"""The most problems that are reported for one plan; a plan of a megabyte can have hundreds of thousands."""
Matches = Callable[[int], bool]
"""Whether a revision satisfies the request's precondition (If-Match)."""


def validate_plan(files: Sequence[PlannedFile], *, workflows: bool) -> None:
    """Validate a plan by the rules for a model's plan. In addition no path may occur twice, and every needed
    file must be planned.

    Raises Invalid, which names each entry and the rule that it breaks.
    """
    if problems := list(islice(_problems(files, workflows), MAX_PROBLEMS)):
        listed = "; ".join(f"{problem['field']}: {problem['message']}" for problem in problems[:5])
        raise Invalid(listed, problems)


def change_plan(
    checkpoints: Checkpoints,
    files: Sequence[PlannedFile],
    summary: str | None,
    model: str,
    matches: Matches,
    *,
    workflows: bool = False,
) -> StageUpdate:
    """Replaces the files of the plan, and its summary unless that is None. Removed files that others needed
    become entries of `left_out`. Raises PlanChanged, Invalid."""
    known = _current_plan(checkpoints, matches)
    validate_plan(files, workflows=workflows)
    plan = Plan(
        summary=known.plan.summary if summary is None else summary,
        files=tuple(files),
        left_out=_left_out(known.plan, files),
    )
    changed = PlanCheckpoint(plan=plan, usage=known.usage, revision=known.revision + 1)
    return plan_update(changed, model)


def approve_plan(checkpoints: Checkpoints, matches: Matches) -> StageUpdate:
    """The update that permits the files to be written. Raises PlanChanged."""
    revision = _current_plan(checkpoints, matches).revision
    checkpoint = {APPROVED: ApprovalCheckpoint(revision=revision).model_dump_json()}
    return StageUpdate(data={"revision": revision}, checkpoints=checkpoint)


def _current_plan(checkpoints: Checkpoints, matches: Matches) -> PlanCheckpoint:
    known = saved_plan(checkpoints)
    assert known is not None  # noqa: S101 - a task is paused only after its plan was stored
    if not matches(known.revision):
        raise PlanChanged(
            Phrase(
                "the plan was changed meanwhile and is at revision {revision}: read it again, then decide",
                revision=known.revision,
            )
        )
    return known


def _left_out(before: Plan, files: Sequence[PlannedFile]) -> tuple[LeftOut, ...]:
    """What was left out before, and removed files, with the planned files that were to use them."""
    planned = {file.path for file in files}
    users: dict[str, list[str]] = {file.path: [] for file in before.files if file.path not in planned}
    for file in before.files:
        for need in file.needs if file.path in planned else ():
            if need in users:
                users[need].append(file.path)
    removed = [LeftOut(path=path, reason="removed", needed_by=tuple(by)) for path, by in users.items() if by]
    known = [
        entry.model_copy(update={"needed_by": tuple(path for path in entry.needed_by if path in planned)})
        for entry in before.left_out
        if entry.path not in planned
    ]
    return (*(entry for entry in known if entry.reason != "removed" or entry.needed_by), *removed)


def _problems(files: Sequence[PlannedFile], workflows: bool) -> Iterator[dict[str, str]]:
    together, seen = PathSet(workflows=workflows), set[str]()
    planned = {file.path for file in files}
    for n, file in enumerate(files):
        try:
            together.add(file.path)
        except TreeError as error:
            yield _problem(f"files.{n}.path", error.code.lower(), error.message)
        if file.path in seen:
            yield _problem(f"files.{n}.path", "duplicate", "this path is in the plan already")
        seen.add(file.path)
        if is_binary(file.path):
            yield _problem(f"files.{n}.path", "binary", "a model writes text: it cannot write a binary file")
        for m, need in enumerate(file.needs):
            if need not in planned:
                yield _problem(f"files.{n}.needs.{m}", "unknown", "it names no file of this plan")


def _problem(field: str, rule: str, message: str) -> dict[str, str]:
    return {"field": field, "rule": rule, "message": message}
