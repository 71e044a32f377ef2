"""Model calls of one task: attempts, live text, retry notices, token usage."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

import structlog
from pydantic import BaseModel, ConfigDict

from gencode.domain.errors import GencodeError, Transient
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.budget import Budget, BudgetTracker, Price, price_of
from gencode.llm.errors import LLMBadOutput, LLMIncomplete, LLMRateLimit
from gencode.llm.port import ChatRequest, Provider, Providers, Usage
from gencode.llm.progress import CallProgress, ProgressRegistry, ProgressTracker
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")
OnText = Callable[[str], None]
"""Called with each chunk of an attempt's text as it arrives; an exception ends the call."""
REJECTED = "wasted"
"""Checkpoints `wasted:RANDOM`: the usage of an answer that could not be used."""


class RejectedAnswer(BaseModel):
    """The usage of an answer that could not be used: the provider bills it all the same."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    usage: Usage


def rejected_usages(checkpoints: Mapping[str, str]) -> list[Usage]:
    """Of every rejected answer in a task's checkpoints."""
    stored = [text for name, text in checkpoints.items() if name.startswith(f"{REJECTED}:")]
    return [RejectedAnswer.model_validate_json(text).usage for text in stored]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A complete response.

    truncated      the token limit ended it, not the model
    has_reasoning  the model thought before it answered
    """

    text: str
    truncated: bool
    usage: Usage = field(default_factory=Usage)
    has_reasoning: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMSession:
    """The model calls of one run of one task's stage; the only place where model calls are repeated."""

    provider: Provider
    emit: Emit
    budget_tracker: BudgetTracker
    retry: Retry
    metrics: Metrics
    progress: ProgressTracker

    async def ask(
        self,
        request: ChatRequest,
        about: str,
        parse: Callable[[Answer], T],
        new_on_text: Callable[[], OnText] | None = None,
    ) -> T:
        """Call the model until `parse` accepts an answer; returns what `parse` returns.

        about        names the subject of the call in events: "plan" or a path
        parse        its Transient errors count as failed attempts too; the next attempt tells the model
                     what an LLMBadOutput has for it
        new_on_text  makes a text callback for each attempt

        Raises BudgetExceeded before a call that could exceed the budget, LLM* errors of the last attempt,
        and whatever `parse` raises.
        """

        current = request

        async def attempt() -> T:
            nonlocal current
            async with self.budget_tracker.reserve(current):
                with self.progress.track(about) as call:
                    answer = await self._stream(current, call, new_on_text() if new_on_text else None)
                self.budget_tracker.add(answer.usage)
            try:
                parsed = parse(answer)
            except GencodeError as error:
                await self._save_rejected(about, answer.usage)
                if isinstance(error, LLMBadOutput):
                    error.quote(answer.text)
                    current = _with_note(request, error.for_model)
                raise
            self.progress.accept(call)
            return parsed

        async def before_retry(error: Transient, wait: float) -> None:
            await self._notify_retry(about, error, wait)

        return await self.retry(attempt, before_retry)

    def usage_update(self, about: str, usage: Usage) -> StageUpdate:
        """The `usage` event of a call: its tokens, and the task's total so far."""
        return StageUpdate(
            kind="usage", data={"about": about, "tokens": asdict(usage), "total": self.budget_tracker.view()}
        )

    async def _notify_retry(self, about: str, error: Transient, wait: float) -> None:
        data = {"about": about, "code": error.code, "wait_seconds": round(wait, 1)}
        log.warning("asking the model again", reason=error.message, **data)
        self.metrics.retries.labels(error.code).inc()
        if error.retry_after or isinstance(error, LLMRateLimit):
            self.progress.rate_limited(about, wait)
        await self.emit(StageUpdate(kind="retry", data={**data, "message": error.message}))

    async def _save_rejected(self, about: str, usage: Usage) -> None:
        checkpoint = {f"{REJECTED}:{secrets.token_hex(4)}": RejectedAnswer(usage=usage).model_dump_json()}
        await self.emit(StageUpdate(checkpoints=checkpoint), self.usage_update(about, usage))

    async def _stream(self, request: ChatRequest, call: CallProgress, on_text: OnText | None) -> Answer:
        texts: list[str] = []
        offset = 0
        finish: str | None = None
        usage = Usage()
        has_reasoning = False
        async with aclosing(self.provider.stream(request)) as chunks:
            async for chunk in chunks:
                call.add_chunk(len(chunk.text))
                if chunk.text:
                    texts.append(chunk.text)
                    data = {"about": call.about, "offset": offset, "text": chunk.text}
                    await self.emit(StageUpdate(kind="delta", data=data, live=True))
                    offset += len(chunk.text)
                    if on_text:
                        on_text(chunk.text)
                finish = chunk.finish_reason or finish
                usage = chunk.usage or usage
                has_reasoning = has_reasoning or bool(chunk.reasoning)
        if finish not in ("stop", "length"):
            raise LLMIncomplete("the model's stream ended without saying that it was done")
        text = _valid_utf8("".join(texts))
        return Answer(text=text, truncated=finish == "length", usage=usage, has_reasoning=has_reasoning)


class LLMSessionFactory:
    """Makes the session of one run of a task's stage."""

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

    def create(self, model: str, task_id: str, *, spent: Usage, budget: Budget, emit: Emit) -> LLMSession:
        """`spent`: by all calls of the task so far, those of earlier stages and runs included.

        Raises Invalid for a model that is not configured.
        """
        provider = self._providers(model)
        return LLMSession(
            provider=provider,
            emit=emit,
            budget_tracker=BudgetTracker(spent, budget, price_of(self._prices, provider.name)),
            retry=self._retry,
            metrics=self._metrics,
            progress=self._progress_registry.begin(task_id),
        )


def _with_note(request: ChatRequest, note: str) -> ChatRequest:
    """The request with a note at the end of its last message; as it is without one."""
    if not note:
        return request
    *before, last = request.messages
    noted = replace(last, content=f"{last.content}\n\nYour previous answer could not be used: {note}")
    return replace(request, messages=(*before, noted))


def _valid_utf8(text: str) -> str:
    """Join the halves of a surrogate pair that arrived in two chunks; a lone half becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
