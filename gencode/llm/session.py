"""One question to a model until it is answered: attempts, live text, notices, the account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import structlog

from gencode.domain.errors import GencodeError, Transient
from gencode.engine.pipeline import Emit, StageUpdate
from gencode.llm.budget import BudgetTracker, Price, price_of
from gencode.llm.errors import LLMIncomplete, LLMRateLimit
from gencode.llm.port import ChatRequest, Provider, Providers, Usage
from gencode.llm.progress import CallProgress, ProgressRegistry, ProgressTracker
from gencode.observability.metrics import Metrics
from gencode.pipelines.generate.artifacts import GenerateInput, KeptUsage
from gencode.resilience.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")
TextListener = Callable[[str], None]
"""Hears each chunk of an attempt's text as it comes; what it raises ends the call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`cut`: the token limit ended it, not the model."""

    text: str
    cut: bool
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMSession:
    """Asks one task's questions with three attempts each; the only place where model calls are repeated."""

    provider: Provider
    send: Emit
    budget_tracker: BudgetTracker
    retry: Retry
    metrics: Metrics
    work: ProgressTracker

    async def ask(
        self,
        request: ChatRequest,
        about: str,
        read: Callable[[Answer], T],
        listener: Callable[[], TextListener] | None = None,
    ) -> T:
        """What `read` makes of the answer; its Transient errors count as failed attempts too.

        `about` names the subject of the question in events: "plan" or a path. `listener` makes a listener
        for each attempt. Raises BudgetExceeded before a call that could pass the budget.
        """

        async def attempt() -> T:
            async with self.budget_tracker.reserve(request):
                with self.work.call(about) as call:
                    answer = await self._answer(request, call, listener() if listener else None)
                self.budget_tracker.add(answer.usage)
            try:
                made = read(answer)
            except GencodeError:
                await self._keep_waste(about, answer.usage)
                raise
            self.work.keep(call)
            return made

        async def notice(error: Transient, wait: float) -> None:
            data = {"about": about, "code": error.code, "wait_seconds": round(wait, 1)}
            log.warning("asking the model again", reason=error.message, **data)
            self.metrics.retries.labels(error.code).inc()
            if error.retry_after or isinstance(error, LLMRateLimit):
                self.work.wait(about, wait)
            await self.send(StageUpdate(kind="retry", data={**data, "message": error.message}))

        return await self.retry(attempt, notice)

    def used(self, about: str, usage: Usage) -> StageUpdate:
        """The `usage` event of a call: its tokens, and the task's account so far."""
        return StageUpdate(
            kind="usage", data={"about": about, "tokens": asdict(usage), "total": self.budget_tracker.view()}
        )

    async def _keep_waste(self, about: str, usage: Usage) -> None:
        """An answer that could not be used was billed all the same."""
        part = {f"wasted:{secrets.token_hex(4)}": KeptUsage(usage=usage).model_dump_json()}
        await self.send(StageUpdate(checkpoints=part), self.used(about, usage))

    async def _answer(self, request: ChatRequest, call: CallProgress, listen: TextListener | None) -> Answer:
        parts: list[str] = []
        offset = 0
        finish: str | None = None
        usage = Usage()
        async with aclosing(self.provider.stream(request)) as chunks:
            async for chunk in chunks:
                call.hear(len(chunk.text))
                if chunk.text:
                    parts.append(chunk.text)
                    data = {"about": call.about, "offset": offset, "text": chunk.text}
                    await self.send(StageUpdate(kind="delta", data=data, live=True))
                    offset += len(chunk.text)
                    if listen:
                        listen(chunk.text)
                finish = chunk.finish_reason or finish
                usage = chunk.usage or usage
        if finish not in ("stop", "length"):
            raise LLMIncomplete("the model's stream ended without saying that it was done")
        return Answer(text=_scalar("".join(parts)), cut=finish == "length", usage=usage)


class LLMSessionFactory:
    """Makes the asker of one task's stage."""

    def __init__(
        self,
        providers: Providers,
        retry: Retry,
        metrics: Metrics,
        prices: Mapping[str, Price],
        progress_registry: ProgressRegistry | None = None,
    ) -> None:
        self._providers = providers
        self._retry = retry
        self._metrics = metrics
        self._prices = prices
        self._progress_registry = progress_registry or ProgressRegistry()

    def of(self, input: GenerateInput, spent: Usage, send: Emit) -> LLMSession:
        """`spent`: by all calls so far, those of earlier stages included."""
        provider = self._providers(input.model)
        budget_tracker = BudgetTracker(spent, input.budget, price_of(self._prices, provider.name))
        return LLMSession(
            provider=provider,
            send=send,
            budget_tracker=budget_tracker,
            retry=self._retry,
            metrics=self._metrics,
            work=self._progress_registry.begin(input.task_id),
        )


def _scalar(text: str) -> str:
    """What UTF-8 can hold: an emoji whose halves came in two chunks is one again, a lone half is U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
