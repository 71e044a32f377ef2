"""The first stage: the diff, and what of it the model will see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio.to_thread

from gencode.codegen.project_checker import ProjectChecker
from gencode.diffs import (
    BundleLimits,
    Coverage,
    ExclusionRules,
    NewFile,
    blob_lines,
    display_path,
    plan_review,
)
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.code_review.artifacts import Collected, ReviewInput
from gencode.pipelines.code_review.names import COLLECTED_EVENT, DIFF, PLAN
from gencode.pipelines.code_review.review_plan import StoredPlan
from gencode.pipelines.code_review.reviewed_hunks import (
    EVERYTHING,
    REVIEWED_BEFORE,
    KnownHunks,
    ReviewedHunks,
    without,
)
from gencode.pipelines.code_review.sources import DiffSource
from gencode.pipelines.code_review.stored_diff import ReviewedDiff

Functions = Mapping[int, Sequence[range]]
"""The lines of each function of the new files, by the position of the file in the diff."""
MAX_FUNCTIONS = 60
"""Files whose functions are looked for, so that a change is shown within the function around it."""


class Collecting:
    """Makes the diff and the plan once: later changes of settings or limits do not matter to the task."""

    def __init__(self, source: DiffSource, hunks: ReviewedHunks, checker: ProjectChecker) -> None:
        self._source = source
        self._hunks = hunks
        self._checker = checker

    async def __call__(self, given: ReviewInput, emit: Emit) -> Collected:
        stored = given.checkpoints
        if DIFF in stored and PLAN in stored:
            return await anyio.to_thread.run_sync(restored, given)
        diff = await self._source(given)
        functions = await self._functions(diff)
        whole = await anyio.to_thread.run_sync(_collect, given, diff, functions)
        collected = await self._without_known(whole, functions)
        await emit(
            StageUpdate(
                kind=COLLECTED_EVENT,
                data=_summary(collected.plan),
                checkpoints={DIFF: collected.diff.dump(), PLAN: collected.plan.model_dump_json()},
            )
        )
        return collected

    async def _without_known(self, collected: Collected, functions: Functions) -> Collected:
        """The plan for what was not reviewed before."""
        known = await self._hunks.find(collected)
        if not known.places:
            return collected
        plan = await anyio.to_thread.run_sync(_remaining, collected, known, functions)
        return replace(collected, plan=plan)

    async def _functions(self, diff: ReviewedDiff) -> Functions:
        """By the position of the file."""
        found = {}
        for number, content in list(diff.blobs.items())[:MAX_FUNCTIONS]:
            try:
                text = content.decode()
            except UnicodeDecodeError:
                continue
            found[number] = await self._checker.functions(display_path(diff.diff.files[number].path), text)
        return found


def restored(given: ReviewInput) -> Collected:
    return Collected(
        given=given,
        diff=ReviewedDiff.load(given.checkpoints[DIFF]),
        plan=StoredPlan.model_validate_json(given.checkpoints[PLAN]),
    )


def _collect(given: ReviewInput, diff: ReviewedDiff, functions: Functions) -> Collected:
    rules = exclusion_rules(given.request)
    plan = plan_review(diff.diff, BundleLimits(), rules, _new_files(diff, functions))
    return Collected(given=given, diff=diff, plan=StoredPlan.of(plan))


def _new_files(diff: ReviewedDiff, functions: Functions) -> Mapping[str, NewFile]:
    """By path; only a patch of several commits names one twice, and that has no blobs."""
    return {
        diff.diff.files[number].path: NewFile(lines=blob_lines(content), functions=functions.get(number, ()))
        for number, content in diff.blobs.items()
    }


def _remaining(collected: Collected, known: KnownHunks, functions: Functions) -> StoredPlan:
    whole = collected.plan
    excluded = [line for line in whole.ledger if line.coverage is Coverage.EXCLUDED]
    diff, hunks = without(collected.diff.diff, known.places, frozenset(line.file for line in excluded))
    new_files = _new_files(collected.diff, functions)
    rest = StoredPlan.of(plan_review(diff, BundleLimits(), EVERYTHING, new_files), hunks)
    ledger = [*excluded, *(line for line in rest.ledger if line.hunk is not None)]
    for file, hunk in known.places:
        changed = collected.diff.diff.files[file].hunks[hunk]
        first = next(line for line in whole.ledger if (line.file, line.hunk) == (file, hunk))
        update = {"part": 0, "coverage": Coverage.REVIEWED, "bundle": None, "reason": REVIEWED_BEFORE}
        counts = {"added": changed.added, "deleted": changed.deleted}
        ledger.append(first.model_copy(update=update | counts))
    in_order = sorted(ledger, key=lambda line: (line.file, line.hunk or 0, line.part))
    return rest.model_copy(
        update={
            "ledger": tuple(in_order),
            "stats": whole.stats,
            "known": tuple(known.findings),
            "known_evidence": None if known.evidence is None else tuple(known.evidence),
        }
    )


def exclusion_rules(request: Mapping[str, Any]) -> ExclusionRules:
    return ExclusionRules(exclude=tuple(request["exclude"]), include=tuple(request["include"]))


def _summary(plan: StoredPlan) -> Mapping[str, Any]:
    """The `collected` event."""
    files, added, deleted = plan.stats
    left_out = {line.path: line.reason for line in plan.ledger if line.coverage is Coverage.EXCLUDED}
    return {
        "files": files,
        "added": added,
        "deleted": deleted,
        "bundles": len(plan.bundles),
        "excluded": [{"path": path, "reason": reason} for path, reason in list(left_out.items())[:100]],
        "reviewed_before": sum(line.reason == REVIEWED_BEFORE for line in plan.ledger),
        "over_budget": sum(line.coverage is Coverage.OVER_BUDGET for line in plan.ledger),
    }
