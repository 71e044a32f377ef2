"""The first stage: the model plans the project and writes its files, several at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.lowlevel

from gencode.codegen.file_generator import WritingLimits
from gencode.codegen.file_scheduler import FileScheduler
from gencode.codegen.multipart_file_generator import Describe
from gencode.codegen.plan import Plan
from gencode.codegen.plan_request import OnPlan, request_plan
from gencode.domain.errors import GencodeError
from gencode.engine.ports.pipeline import Emit, Pause
from gencode.llm.session import LLMSession, LLMSessionFactory
from gencode.pipelines.generate.cache_hit import CacheHit, cache_hit_updates, pieces_of
from gencode.pipelines.generate.messages import approval_text
from gencode.pipelines.generate.plan_estimate import estimate_plan
from gencode.pipelines.generate.prompt_cache import PromptCache
from gencode.pipelines.generate.stage_artifacts import Draft, GenerateInput


class Generating:
    """Stores the plan and each answer as it arrives, so that no completed model call is paid for twice.

    warm_up       called while the model writes the plan, to prepare what `describe` and the checks need
    prompt_cache  finds the plan and files of an earlier task; None: every task calls the model
    """

    def __init__(
        self,
        sessions: LLMSessionFactory,
        describe: Describe,
        limits: WritingLimits,
        *,
        warm_up: Callable[[], Coroutine[Any, Any, None]] = anyio.lowlevel.checkpoint,
        prompt_cache: PromptCache | None = None,
        approval_seconds: float = 24 * 3600,
        workflows: bool = False,
    ) -> None:
        self._sessions = sessions
        self._describe = describe
        self._limits = limits
        self._warm_up = warm_up
        self._prompt_cache = prompt_cache
        self._approval_seconds = approval_seconds
        self._workflows = workflows

    async def __call__(self, request: GenerateInput, emit: Emit) -> Draft | Pause:
        """Returns a Pause before the first file if a user must approve the plan."""
        session = await self._sessions.create(
            request.model,
            request.task_id,
            spent=request.spent,
            budget=request.budget,
            emit=emit,
            client=request.client,
            kind="generate",
            failover=request.failover,
        )
        if request.needs_approval:
            return await self._pause(session, request)
        if cache_hit := await self._find_cache_hit(request, session.provider.name):
            await emit(*cache_hit_updates(cache_hit, session.provider.name))
            return Draft(
                request=request, plan=cache_hit.plan, pieces=pieces_of(cache_hit), spent=request.spent
            )
        return await self._write_files(request, session)

    async def _pause(self, session: LLMSession, request: GenerateInput) -> Pause:
        plan = request.plan or await self._request_plan(session, request, _start_nothing)
        estimate = estimate_plan(
            request.job.prompt,
            plan,
            request.model,
            self._limits.max_tokens,
            session.budget_tracker.cost,
        )
        return Pause(
            message=approval_text(request.language),
            seconds=self._approval_seconds,
            data={"estimate": estimate.model_dump(mode="json")},
        )

    async def _find_cache_hit(self, request: GenerateInput, model: str) -> CacheHit | None:
        """The plan and files from the prompt cache, if the task has stored nothing yet."""
        if not self._prompt_cache or request.plan or request.job.pieces:
            return None
        return await self._prompt_cache(request, model)

    async def _write_files(self, request: GenerateInput, session: LLMSession) -> Draft:
        """Files start while the plan is still streaming in. If the plan fails, they are cancelled, because
        they belong to no project."""
        failure: GencodeError | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._warm_up)
            scheduler = FileScheduler(session, self._describe, self._limits, request.job, group)
            try:
                plan = request.plan or await self._request_plan(session, request, scheduler.update_plan)
                scheduler.complete_plan(plan)
            except GencodeError as error:
                failure = error
                group.cancel_scope.cancel()
        if failure:
            raise failure
        return Draft(
            request=request,
            plan=plan,
            pieces=scheduler.pieces(plan),
            spent=session.budget_tracker.spent,
            deflated_blobs=scheduler.deflated_blobs,
        )

    async def _request_plan(self, session: LLMSession, request: GenerateInput, on_plan: OnPlan) -> Plan:
        model = session.provider.name
        return await request_plan(
            session,
            request.job.prompt,
            self._limits.max_tokens,
            on_plan,
            workflows=self._workflows,
            cache_key=self._prompt_cache.cache_key(request, model) if self._prompt_cache else "",
        )


def _start_nothing(plan: Plan) -> None:
    """The plan may still be changed before its files are written."""
