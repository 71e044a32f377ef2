"""The first stage: the model plans the project and writes its files, several at once."""

from __future__ import annotations

import anyio

from gencode.errors import GencodeError
from gencode.pipeline import Hold, Send
from gencode.pipelines.generate.artifacts import Brief, Draft, Plan
from gencode.pipelines.generate.asking import Asker, Askers
from gencode.pipelines.generate.desk import Desk
from gencode.pipelines.generate.messages import approval_text
from gencode.pipelines.generate.parting import Describe
from gencode.pipelines.generate.planning import Hear, make_plan
from gencode.pipelines.generate.recall import Recall, Recalled
from gencode.pipelines.generate.taking_over import pieces_of, taken_over
from gencode.pipelines.generate.writing import Limits
from gencode.task import Status


class Generating:
    """Keeps the plan and each answer as it comes, so that no completed model call is paid for twice.

    recall   finds what an earlier task made from the same request; None: every task asks the model
    """

    status = Status.GENERATING

    def __init__(
        self,
        askers: Askers,
        describe: Describe,
        limits: Limits,
        *,
        recall: Recall | None = None,
        approval_seconds: float = 24 * 3600,
        workflows: bool = False,
    ) -> None:
        self._askers = askers
        self._describe = describe
        self._limits = limits
        self._recall = recall
        self._approval_seconds = approval_seconds
        self._workflows = workflows

    async def __call__(self, brief: Brief, send: Send) -> Draft | Hold:
        """Holds before the first file when a person is to approve the plan."""
        asker = self._askers.of(brief, brief.spent, send)
        if brief.unapproved:
            return await self._hold(asker, brief)
        if recalled := await self._recalled(brief, asker.provider.name):
            await send(*taken_over(recalled, asker.provider.name))
            return Draft(brief=brief, plan=recalled.plan, pieces=pieces_of(recalled), spent=brief.spent)
        return await self._written(brief, asker)

    async def _hold(self, asker: Asker, brief: Brief) -> Hold:
        if not brief.plan:
            await self._plan(asker, brief, _begin_nothing)
        return Hold(message=approval_text(brief.language), seconds=self._approval_seconds)

    async def _recalled(self, brief: Brief, model: str) -> Recalled | None:
        begun = brief.plan or brief.pieces
        return await self._recall(brief, model) if self._recall and not begun else None

    async def _written(self, brief: Brief, asker: Asker) -> Draft:
        """Files are begun while the plan is still being said. A plan that fails ends them: they belong to
        nothing."""
        failure: GencodeError | None = None
        async with anyio.create_task_group() as group:
            desk = Desk(asker, self._describe, self._limits, brief, group)
            try:
                plan = brief.plan or await self._plan(asker, brief, desk.hear)
                desk.complete(plan)
            except GencodeError as error:
                failure = error
                group.cancel_scope.cancel()
        if failure:
            raise failure
        return Draft(
            brief=brief, plan=plan, pieces=desk.pieces(plan), spent=asker.spending.spent, ready=desk.ready
        )

    async def _plan(self, asker: Asker, brief: Brief, hear: Hear) -> Plan:
        most = self._limits.max_tokens
        recipe = self._recall.recipe(brief, asker.provider.name) if self._recall else ""
        return await make_plan(asker, brief.prompt, most, hear, workflows=self._workflows, recipe=recipe)


def _begin_nothing(plan: Plan) -> None:
    """The plan so far: it may yet be changed."""
