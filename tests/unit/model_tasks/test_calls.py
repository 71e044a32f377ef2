"""Model calls of several stages of one run."""

from __future__ import annotations

import anyio
import pytest
from pydantic import BaseModel

from gencode.llm.budget import Budget
from gencode.llm.errors import BudgetExceeded
from gencode.llm.model_route import Failover
from gencode.llm.session import Answer, LLMSessionFactory
from gencode.model_tasks.calls import ModelCalls, ModelRun
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from tests.unit.llm.test_failover import ASK, USED, Model, Run


class Text(BaseModel):
    text: str


def parsed(answer: Answer) -> Text:
    return Text(text=answer.text)


def a_run(tokens: int | None = None) -> ModelRun:
    return ModelRun(
        task_id="t",
        task_version=1,
        kind="blueprint",
        principal="alice",
        model="first",
        budget=Budget(tokens=tokens),
        failover=Failover(replacements=()),
        checkpoints={},
    )


async def test_a_stage_counts_what_those_before_it_have_used_in_the_same_run() -> None:
    sent, run = Run(Model("first")), a_run()
    sessions = LLMSessionFactory(sent.open, Retry(base=0, sleep=lambda _: anyio.sleep(0)), Metrics())
    for stage in ("outline", "details", "repair"):
        calls = await ModelCalls.open(sessions, run, sent.emit)
        await calls.ask(stage, ASK, parsed, Text)
    totals = [update.data["total"]["prompt"] for update in sent.updates if update.kind == "usage"]
    assert totals == [USED.prompt, 2 * USED.prompt, 3 * USED.prompt]


async def test_the_limit_of_tokens_holds_over_the_stages_of_a_run() -> None:
    """The second stage would fit if it did not know of the first one."""
    sent, run = Run(Model("first")), a_run(tokens=USED.prompt + 1000)
    sessions = LLMSessionFactory(sent.open, Retry(base=0, sleep=lambda _: anyio.sleep(0)), Metrics())
    first = await ModelCalls.open(sessions, run, sent.emit)
    await first.ask("outline", ASK, parsed, Text)
    run_again = await ModelCalls.open(sessions, run, sent.emit)
    await run_again.ask("small", ASK, parsed, Text)
    following = await ModelCalls.open(sessions, run, sent.emit)
    with pytest.raises(BudgetExceeded):
        await following.ask("elements", ASK, parsed, Text)
