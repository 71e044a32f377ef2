"""The second stage: the model reviews each bundle, several at once."""

from __future__ import annotations

from collections.abc import Mapping

import anyio

from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import Checkpoints, Emit, StageUpdate
from gencode.llm.errors import BudgetExceeded, LLMBadOutput, LLMRefused, LLMTooLarge, LLMTruncated
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.code_review.answers import BundleAnswer, parse_review
from gencode.pipelines.code_review.artifacts import Collected, PlacedBundle, Reviewed, SkippedBundles
from gencode.pipelines.code_review.names import (
    FINDING_EVENT,
    PLACED,
    REVIEWED_EVENT,
    SKIPPED,
    about_bundle,
    placed_checkpoint,
)
from gencode.pipelines.code_review.placing import place_claim, place_evidence
from gencode.pipelines.code_review.prompts import review_request
from gencode.pipelines.code_review.review_plan import PlannedBundle
from gencode.pipelines.code_review.reviewed_hunks import ReviewedHunks
from gencode.resilience.thread_offload import run_on_text

OF_ONE_BUNDLE = (BudgetExceeded, LLMBadOutput, LLMRefused, LLMTooLarge, LLMTruncated)
"""Errors that say nothing about the other bundles."""


class Reviewing:
    """Asks about each bundle once, and stores each answer with the findings that it proves."""

    def __init__(
        self, sessions: LLMSessionFactory, hunks: ReviewedHunks, max_tokens: int, at_once: int
    ) -> None:
        self._sessions = sessions
        self._hunks = hunks
        self._max_tokens = max_tokens
        self._at_once = at_once

    async def __call__(self, collected: Collected, emit: Emit) -> Reviewed:
        """Raises the error of a bundle if it concerns all of them, or if no bundle could be reviewed."""
        given = collected.given
        placed = placed_bundles(given.checkpoints)
        if not collected.plan.bundles:
            return Reviewed(collected=collected, placed=placed, skipped={})
        calls = await ModelCalls.open(self._sessions, given.run, emit)
        run = _Run(collected, calls, self._max_tokens, placed)
        async with anyio.create_task_group() as group:
            limiter = anyio.CapacityLimiter(self._at_once)
            for bundle in collected.plan.bundles:
                if bundle.number not in placed:
                    group.start_soon(run.review_within, limiter, bundle)
        await self._hunks.remember(collected, run.placed)
        run.check()
        codes = SkippedBundles(codes=run.skipped)
        await emit(StageUpdate(checkpoints={SKIPPED: codes.model_dump_json()}))
        return Reviewed(collected=collected, placed=run.placed, skipped=run.skipped)


def placed_bundles(checkpoints: Checkpoints) -> dict[int, PlacedBundle]:
    return {
        int(name.removeprefix(PLACED)): PlacedBundle.model_validate_json(text)
        for name, text in checkpoints.items()
        if name.startswith(PLACED)
    }


def skipped_bundles(checkpoints: Checkpoints) -> Mapping[int, str]:
    return SkippedBundles.model_validate_json(checkpoints[SKIPPED]).codes if SKIPPED in checkpoints else {}


class _Run:
    """After an error that concerns all bundles no further one is begun; those under way are finished and
    stored, because they are paid for."""

    def __init__(
        self, collected: Collected, calls: ModelCalls, max_tokens: int, placed: dict[int, PlacedBundle]
    ) -> None:
        self._collected = collected
        self._calls = calls
        self._max_tokens = max_tokens
        self.placed = placed
        self.skipped: dict[int, str] = {}
        self._failure: GencodeError | None = None
        self._skipped_because: GencodeError | None = None

    def check(self) -> None:
        if self._failure:
            raise self._failure
        if self._skipped_because and not self.placed:
            raise self._skipped_because

    async def review_within(self, limiter: anyio.CapacityLimiter, bundle: PlannedBundle) -> None:
        async with limiter:
            if self._failure:
                return
            try:
                await self._review(bundle)
            except OF_ONE_BUNDLE as error:
                self.skipped[bundle.number] = error.code
                self._skipped_because = error
            except GencodeError as error:
                self._failure = error

    async def _review(self, bundle: PlannedBundle) -> None:
        plan, given = self._collected.plan, self._collected.given
        request = review_request(
            bundle.text, bundle.number, len(plan.bundles), given.instructions, self._max_tokens
        )
        answer = await self._calls.ask(
            about_bundle(bundle.number),
            request,
            lambda answer: parse_review(answer, self._max_tokens),
            BundleAnswer,
        )
        size = len(bundle.text) * (1 + len(answer.findings))
        placed = await run_on_text(size, _placed, self._collected, bundle, answer)
        await self._calls.session.emit(*_updates(bundle, placed, self._collected))
        self.placed[bundle.number] = placed


def _placed(collected: Collected, bundle: PlannedBundle, answer: BundleAnswer) -> PlacedBundle:
    files = collected.files(bundle)
    placed = [place_claim(claim, files) for claim in answer.findings]
    found = tuple(finding for finding in placed if finding)
    evidence = None
    if answer.requirements is not None:
        evidence = tuple(filter(None, (place_evidence(one, files) for one in answer.requirements)))
    return PlacedBundle(
        findings=found,
        misplaced=len(placed) - len(found),
        unreadable=answer.unreadable,
        evidence=evidence,
    )


def _updates(bundle: PlannedBundle, placed: PlacedBundle, collected: Collected) -> list[StageUpdate]:
    """One commit: a finding is told exactly once."""
    told = [
        StageUpdate(kind=FINDING_EVENT, data=finding.data() | {"bundle": bundle.number}, is_progress=False)
        for finding in placed.findings
    ]
    paths = list(dict.fromkeys(file.path for file in collected.files(bundle)))
    data = {
        "bundle": bundle.number,
        "of": len(collected.plan.bundles),
        "paths": paths[:50],
        "findings": len(placed.findings),
        "unanchored": sum(finding.line is None for finding in placed.findings),
        "misplaced": placed.misplaced,
    }
    checkpoint = {placed_checkpoint(bundle.number): placed.model_dump_json()}
    return [*told, StageUpdate(kind=REVIEWED_EVENT, data=data, checkpoints=checkpoint)]
