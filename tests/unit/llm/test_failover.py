"""Another model answers when the task's model is unavailable or used up, and the task says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest

from gencode.domain.errors import Invalid
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.errors import LLMAuth, LLMBalance, LLMUnavailable, ProviderError
from gencode.llm.model_route import FAILOVER, EarlierModels, Failover, OpenedModel
from gencode.llm.port import ChatChunk, ChatRequest, Message, OnSend, Usage
from gencode.llm.prices import Price
from gencode.llm.session import Answer, LLMSession, LLMSessionFactory
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry

ASK = ChatRequest(messages=(Message(role="user", content="hello"),), max_tokens=10)
USED = Usage(prompt=1_000_000, completion=0)


class Model:
    """Fails with the errors in order, then answers with its name."""

    native_prefix = False
    pause = 0.0

    def __init__(self, name: str, *errors: ProviderError, usage_before: Usage | None = None) -> None:
        self.name = name
        self.calls = 0
        self._errors = list(errors)
        self._usage_before = usage_before

    async def stream(
        self, request: ChatRequest, on_send: OnSend | None = None
    ) -> AsyncGenerator[ChatChunk, None]:
        self.calls += 1
        if on_send:
            await on_send()
        if self._errors:
            if self._usage_before:
                yield ChatChunk(usage=self._usage_before)
            raise self._errors.pop(0)
        yield ChatChunk(text=self.name, finish_reason="stop", usage=USED)


class Run:
    """One run of a stage: `updates` is what it has emitted."""

    def __init__(self, *models: Model, prices: dict[str, str] | None = None) -> None:
        self.models = {model.name: model for model in models}
        self.prices = prices or {}
        self.updates: list[StageUpdate] = []

    async def emit(self, *updates: StageUpdate) -> None:
        self.updates += [update for update in updates if not update.live]

    async def open(self, name: str, principal: str) -> OpenedModel:
        if name not in self.models:
            raise Invalid(f"{name} is not there", [])
        price = self.prices.get(name)
        return OpenedModel(
            name=name,
            provider=self.models[name],
            price=Price(prompt=Decimal(price), completion=Decimal(0)) if price else None,
        )

    async def session(
        self, replacements: tuple[str, ...], earlier: EarlierModels | None = None, **more: Any
    ) -> LLMSession:
        factory = LLMSessionFactory(self.open, Retry(base=0, sleep=lambda _: anyio.sleep(0)), Metrics())
        failover = Failover(replacements=replacements, earlier=earlier)
        given = {"spent": Usage(), "budget": Budget(), **more}
        return await factory.create("first", "t", emit=self.emit, failover=failover, **given)

    def events(self) -> list[dict[str, Any]]:
        return [dict(update.data) for update in self.updates if update.kind == FAILOVER]

    def checkpoints(self) -> dict[str, str]:
        return {name: text for update in self.updates for name, text in update.checkpoints.items()}


def text_of(answer: Answer) -> str:
    return answer.text


@pytest.mark.parametrize(
    ("error", "attempts"), [(lambda: LLMUnavailable("down"), 3), (lambda: LLMBalance("no money"), 1)]
)
async def test_the_next_model_answers_this_call_and_those_after_it(
    error: Callable[[], ProviderError], attempts: int
) -> None:
    run = Run(Model("first", *(error() for _ in range(attempts))), Model("second"))
    session = await run.session(("gone", "second"))
    assert [await session.ask(ASK, about, text_of) for about in ("plan", "a.py")] == ["second", "second"]
    assert run.models["first"].calls == attempts
    (event,) = run.events()
    assert (event["from"], event["to"], event["about"]) == ("first", "second", "plan")
    assert event["code"] == error().code


async def test_a_wrong_key_is_told_and_not_hidden_by_another_model() -> None:
    run = Run(Model("first", LLMAuth("wrong key")), Model("second"))
    with pytest.raises(LLMAuth):
        await (await run.session(("second",))).ask(ASK, "plan", text_of)
    assert run.models["second"].calls == 0


async def test_the_last_models_error_is_raised_when_none_is_left() -> None:
    run = Run(Model("first", LLMBalance("first")), Model("second", LLMBalance("second")))
    with pytest.raises(LLMBalance, match="second"):
        await (await run.session(("second",))).ask(ASK, "plan", text_of)


async def test_calls_that_fail_together_change_the_model_once() -> None:
    run = Run(Model("first", *(LLMBalance("no money") for _ in range(5))), Model("second"))
    session = await run.session(("second",))
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(session.ask, ASK, f"{number}.py", text_of)
    assert (run.models["first"].calls, run.models["second"].calls, len(run.events())) == (5, 5, 1)


async def test_each_models_tokens_have_its_own_price_also_after_a_restart() -> None:
    first = Model("first", LLMBalance("no money"), usage_before=USED)
    run = Run(first, Model("second"), prices={"first": "3", "second": "5"})
    session = await run.session(("second",))
    await session.ask(ASK, "plan", text_of)
    assert session.budget_tracker.view()["cost"] == "8.000000"
    checkpoints = run.checkpoints()
    earlier = Failover.of({}, checkpoints).earlier
    assert earlier == EarlierModels(model="second", usage=USED, cost=Decimal(3))
    assert usages_without_answer(checkpoints)
    both = Usage(prompt=2_000_000)
    again = await run.session(("second",), earlier, spent=both)
    assert again.provider.name == "second"
    assert again.budget_tracker.view()["cost"] == "8.000000"
