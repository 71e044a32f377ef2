"""The first stage: the model plans the project and writes its files, several at once."""

from __future__ import annotations

import anyio

from gencode.codegen.chunked_file_writer import Describe
from gencode.codegen.file_scheduler import FileScheduler
from gencode.codegen.file_writer import WritingLimits
from gencode.codegen.planning import Hear, make_plan
from gencode.domain.errors import GencodeError
from gencode.engine.pipeline import Emit, Pause
from gencode.llm.session import LLMSession, LLMSessionFactory
from gencode.pipelines.generate.artifacts import Draft, GenerateInput, Plan
from gencode.pipelines.generate.cache_hit import cache_hit_updates, pieces_of
from gencode.pipelines.generate.messages import approval_text
from gencode.pipelines.generate.prompt_cache import CacheHit, PromptCache


class Generating:
    """Keeps the plan and each answer as it comes, so that no completed model call is paid for twice.

    recall   finds what an earlier task made from the same request; None: every task asks the model
    """

    def __init__(
        self,
        sessions: LLMSessionFactory,
        describe: Describe,
        limits: WritingLimits,
        *,
        prompt_cache: PromptCache | None = None,
        approval_seconds: float = 24 * 3600,
        workflows: bool = False,
    ) -> None:
        self._sessions = sessions
        self._describe = describe
        self._limits = limits
        self._prompt_cache = prompt_cache
        self._approval_seconds = approval_seconds
        self._workflows = workflows

    async def __call__(self, input: GenerateInput, send: Emit) -> Draft | Pause:
        """Holds before the first file when a person is to approve the plan."""
        session = self._sessions.of(input, input.spent, send)
        if input.unapproved:
            return await self._hold(session, input)
        if cache_hit := await self._cache_hit(input, session.provider.name):
            await send(*cache_hit_updates(cache_hit, session.provider.name))
            return Draft(input=input, plan=cache_hit.plan, pieces=pieces_of(cache_hit), spent=input.spent)
        return await self._written(input, session)

    async def _hold(self, session: LLMSession, input: GenerateInput) -> Pause:
        if not input.plan:
            await self._plan(session, input, _begin_nothing)
        return Pause(message=approval_text(input.language), seconds=self._approval_seconds)

    async def _cache_hit(self, input: GenerateInput, model: str) -> CacheHit | None:
        begun = input.plan or input.pieces
        return await self._prompt_cache(input, model) if self._prompt_cache and not begun else None

    async def _written(self, input: GenerateInput, session: LLMSession) -> Draft:
        """Files are begun while the plan is still being said. A plan that fails ends them: they belong to
        nothing."""
        failure: GencodeError | None = None
        async with anyio.create_task_group() as group:
            scheduler = FileScheduler(session, self._describe, self._limits, input, group)
            try:
                plan = input.plan or await self._plan(session, input, scheduler.hear)
                scheduler.complete(plan)
            except GencodeError as error:
                failure = error
                group.cancel_scope.cancel()
        if failure:
            raise failure
        return Draft(
            input=input,
            plan=plan,
            pieces=scheduler.pieces(plan),
            spent=session.budget_tracker.spent,
            ready=scheduler.ready,
        )

    async def _plan(self, session: LLMSession, input: GenerateInput, hear: Hear) -> Plan:
        most = self._limits.max_tokens
        cache_key = self._prompt_cache.cache_key(input, session.provider.name) if self._prompt_cache else ""
        return await make_plan(
            session, input.prompt, most, hear, workflows=self._workflows, cache_key=cache_key
        )


def _begin_nothing(plan: Plan) -> None:
    """The plan so far: it may yet be changed."""
