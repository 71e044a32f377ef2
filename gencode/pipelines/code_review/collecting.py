"""The first stage: the diff, and what of it the model will see."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio.to_thread

from gencode.diffs import (
    BundleLimits,
    Coverage,
    DiffError,
    ExclusionRules,
    PatchLimits,
    parse_patch,
    plan_review,
)
from gencode.domain.errors import Invalid
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
from gencode.pipelines.code_review.stored_diff import ReviewedDiff

PATCH_LIMITS = PatchLimits(max_bytes=5 * 2**20, max_files=3000, max_hunks=20_000, max_lines=300_000)


def patch_of(request: Mapping[str, Any]) -> ReviewedDiff:
    """The diff of a request's `patch`. Takes up to a second. Raises Invalid."""
    try:
        return ReviewedDiff.of_patch(parse_patch(_patch_bytes(request), PATCH_LIMITS))
    except DiffError as error:
        raise Invalid.of("patch", "patch", error.message) from None


def _patch_bytes(request: Mapping[str, Any]) -> bytes:
    if request.get("patch_encoding") != "base64":
        return str(request["patch"]).encode()
    try:
        return base64.b64decode(str(request["patch"]), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.of("patch", "base64", "is not base64, as patch_encoding says") from None


class Collecting:
    """Makes the diff and the plan once: later changes of settings or limits do not matter to the task."""

    def __init__(self, hunks: ReviewedHunks) -> None:
        self._hunks = hunks

    async def __call__(self, given: ReviewInput, emit: Emit) -> Collected:
        stored = given.checkpoints
        if DIFF in stored and PLAN in stored:
            return await anyio.to_thread.run_sync(restored, given)
        collected = await self._without_known(await anyio.to_thread.run_sync(_collect, given))
        await emit(
            StageUpdate(
                kind=COLLECTED_EVENT,
                data=_summary(collected.plan),
                checkpoints={DIFF: collected.diff.dump(), PLAN: collected.plan.model_dump_json()},
            )
        )
        return collected

    async def _without_known(self, collected: Collected) -> Collected:
        """The plan for what was not reviewed before."""
        given, diff = collected.given, collected.diff
        known = await self._hunks.find(given, diff.diff, diff.commits, collected.plan)
        if not known.places:
            return collected
        return replace(collected, plan=await anyio.to_thread.run_sync(_remaining, collected, known))


def restored(given: ReviewInput) -> Collected:
    return Collected(
        given=given,
        diff=ReviewedDiff.load(given.checkpoints[DIFF]),
        plan=StoredPlan.model_validate_json(given.checkpoints[PLAN]),
    )


def _collect(given: ReviewInput) -> Collected:
    diff = patch_of(given.request)
    plan = plan_review(diff.diff, BundleLimits(), exclusion_rules(given.request))
    return Collected(given=given, diff=diff, plan=StoredPlan.of(plan))


def _remaining(collected: Collected, known: KnownHunks) -> StoredPlan:
    whole = collected.plan
    excluded = [line for line in whole.ledger if line.coverage is Coverage.EXCLUDED]
    diff, hunks = without(collected.diff.diff, known.places, frozenset(line.file for line in excluded))
    rest = StoredPlan.of(plan_review(diff, BundleLimits(), EVERYTHING), hunks)
    ledger = [*excluded, *(line for line in rest.ledger if line.hunk is not None)]
    for file, hunk in known.places:
        changed = collected.diff.diff.files[file].hunks[hunk]
        first = next(line for line in whole.ledger if (line.file, line.hunk) == (file, hunk))
        update = {"part": 0, "coverage": Coverage.REVIEWED, "bundle": None, "reason": REVIEWED_BEFORE}
        counts = {"added": changed.added, "deleted": changed.deleted}
        ledger.append(first.model_copy(update=update | counts))
    in_order = sorted(ledger, key=lambda line: (line.file, line.hunk or 0, line.part))
    return rest.model_copy(
        update={"ledger": tuple(in_order), "stats": whole.stats, "known": tuple(known.findings)}
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
