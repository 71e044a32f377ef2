"""The second stage: a call for each part, code that merges the answers, and a call about contradictions."""

from __future__ import annotations

from dataclasses import replace

import anyio.to_thread

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.session import LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls
from gencode.pipelines.requirement_analysis.comparing import Comparing, Comparison
from gencode.pipelines.requirement_analysis.draft import Draft, draft_of
from gencode.pipelines.requirement_analysis.part_calls import PartCalls
from gencode.pipelines.requirement_analysis.source import Source
from gencode.pipelines.requirement_analysis.work import ANALYSIS, Work
from gencode.workspace.requirement_documents.requirement import Analysis, PartStatus


class Analysing:
    def __init__(self, sessions: LLMSessionFactory, max_tokens: int, at_once: int) -> None:
        """`at_once`: calls about parts of a document."""
        self._sessions = sessions
        self._max_tokens = max_tokens
        self._at_once = at_once

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises LLM* errors, BudgetExceeded if no part could be analysed."""
        assert work.source is not None  # noqa: S101 - the stage before made it
        calls = await ModelCalls.open(self._sessions, work.run, emit)
        parts = PartCalls(calls, work.source, self._max_tokens, self._at_once)
        draft = await anyio.to_thread.run_sync(draft_of, work.source, await parts.ask_all())
        comparison = await Comparing(calls, self._max_tokens).compare(draft.requirements)
        analysis = _analysis(work, work.source, draft, comparison)
        counts = {
            "requirements": len(analysis.requirements),
            "contradictions": len(analysis.contradictions),
            "unverified_quotes": sum(not one.source.is_verified for one in analysis.requirements),
            "is_complete": analysis.is_complete,
        }
        checkpoints = {ANALYSIS: analysis.model_dump_json()}
        await emit(
            StageUpdate(kind="requirements", data=counts, checkpoints=checkpoints, result=_result(counts))
        )
        return replace(work, analysis=analysis)


def _result(counts: dict[str, int]) -> dict[str, int]:
    return {
        "requirement_count": counts["requirements"],
        "contradiction_count": counts["contradictions"],
        "is_complete": counts["is_complete"],
    }


def _analysis(work: Work, source: Source, draft: Draft, comparison: Comparison) -> Analysis:
    ends = [*(part.status for part in draft.parts), comparison.ledger.status]
    return Analysis(
        document_id=work.document_id,
        document_name=source.document_name,
        task_id=work.run.task_id,
        model=work.run.model,
        language=source.language,
        is_complete=not draft.left_out and all(end is PartStatus.ANALYSED for end in ends),
        by_rules=draft.by_rules,
        requirements=draft.requirements,
        contradictions=comparison.contradictions,
        open_questions=draft.open_questions,
        parts=draft.parts,
        comparison=comparison.ledger,
        left_out=draft.left_out,
        next_number=draft.next_number,
    )
