"""The third stage: what of the findings is worth telling."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.code_review.artifacts import Judged, JudgedFindings, Reviewed
from gencode.pipelines.code_review.findings import Finding
from gencode.pipelines.code_review.merging import merged, ranked, with_distinct_identities
from gencode.pipelines.code_review.names import JUDGED, JUDGED_EVENT
from gencode.pipelines.code_review.reviewing import OF_ONE_BUNDLE
from gencode.pipelines.code_review.self_check import ABOUT, Scores, check_request, not_refuted, parse_scores


class Judging:
    """Merges and ranks in code. The self-check, if it was asked for, is one more model call; if that fails
    for a reason of its own, all findings stay."""

    def __init__(self, sessions: LLMSessionFactory, max_tokens: int) -> None:
        self._sessions = sessions
        self._max_tokens = max_tokens

    async def __call__(self, reviewed: Reviewed, emit: Emit) -> Judged:
        given = reviewed.collected.given
        if JUDGED in given.checkpoints:
            stored = JudgedFindings.model_validate_json(given.checkpoints[JUDGED])
            return Judged(reviewed=reviewed, judged=stored)
        told = [one for placed in reviewed.placed.values() for one in placed.findings]
        found = [*reviewed.collected.plan.known, *told]
        distinct = await anyio.to_thread.run_sync(merged, found)
        known, new = [one for one in distinct if one.is_known], [one for one in distinct if not one.is_known]
        scores = await self._scores(reviewed, new, emit) if given.is_self_checked and new else None
        kept = ranked([*known, *(not_refuted(new, scores) if scores else new)])
        judged = JudgedFindings(
            findings=tuple(with_distinct_identities(kept)),
            merged=len(found) - len(distinct),
            refuted=len(distinct) - len(kept),
            is_self_checked=scores is not None,
        )
        await emit(_update(judged))
        return Judged(reviewed=reviewed, judged=judged)

    async def _scores(self, reviewed: Reviewed, findings: Sequence[Finding], emit: Emit) -> Scores | None:
        run = reviewed.collected.given.run
        calls = await ModelCalls.open(self._sessions, run, emit)
        request = check_request(findings, self._max_tokens)
        try:
            return await calls.ask(
                ABOUT, request, lambda answer: parse_scores(answer, self._max_tokens), Scores
            )
        except OF_ONE_BUNDLE:
            return None


def _update(judged: JudgedFindings) -> StageUpdate:
    data = {
        "findings": len(judged.findings),
        "merged": judged.merged,
        "refuted": judged.refuted,
        "self_checked": judged.is_self_checked,
    }
    return StageUpdate(kind=JUDGED_EVENT, data=data, checkpoints={JUDGED: judged.model_dump_json()})
