"""Model calls of one task: attempts, live text, retry notices, and what every call costs.

A call is charged, finished or not. Before it is sent its reserve is stored, and the commit that stores its
answer, or its charge, settles that: see gencode.llm.charge_checkpoints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, TypeVar

import anyio
import structlog
from pydantic import BaseModel

from gencode.domain.errors import Conflict, GencodeError, StoreError, Transient
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.budget import Budget, BudgetTracker
from gencode.llm.charge_checkpoints import reserved, settled
from gencode.llm.errors import LLMBadOutput, LLMIncomplete, LLMRateLimit, ProviderError
from gencode.llm.model_route import FAILOVER, Failover, OpenedModel, OpenModel, TaskModels
from gencode.llm.port import ChatRequest, Provider, Usage
from gencode.llm.progress_tracker import CallProgress, ProgressRegistry, ProgressTracker
from gencode.llm.screened_answer_stream import OnText, ScreenedAnswerStream, own_secret_found
from gencode.llm.usage_ledger import LedgerCall, NoLedger, UsageLedger
from gencode.llm.usage_meter import CallMeter
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from gencode.resilience.thread_offload import run_on_text
from gencode.security.redaction import redact
from gencode.security.secret_detector import contains_secret

log = structlog.get_logger(__name__)
T = TypeVar("T")
SecretList = Callable[[], Sequence[str]]
"""Returns the secrets that are valid at the time of the call."""
SecretsOf = Callable[[str], Sequence[str]]
"""The same for the principal of an id: those of the service, and its own."""


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


class ContinuedAnswer(Protocol):
    """An answer whose text is kept when a call breaks off: the next attempt continues it."""

    @property
    def is_begun(self) -> bool:
        """Whether there is text already, which no other model may continue."""
        ...

    async def next_request(self) -> ChatRequest:
        """The request of the attempt that begins now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMSession:
    """The model calls of one run of one task's stage; the only place where model calls are repeated.

    models  the task's model, and those that replace it
    ledger  records each call
    """

    models: TaskModels
    task_id: str
    kind: str
    client: str
    emit: Emit
    budget_tracker: BudgetTracker
    retry: Retry
    metrics: Metrics
    progress: ProgressTracker
    ledger: UsageLedger
    secrets: SecretList = tuple
    _unstored: dict[str, CallMeter] = field(default_factory=dict)
    """The checkpoints of reserves of calls whose answers were accepted, by the subject of the call."""

    @property
    def provider(self) -> Provider:
        """The provider of the model that answers now."""
        return self.models.current.provider

    async def ask(
        self,
        request: ChatRequest,
        about: str,
        parse: Callable[[Answer], T],
        new_on_text: Callable[[], OnText] | None = None,
        continued: ContinuedAnswer | None = None,
    ) -> T:
        """Calls the model until `parse` accepts an answer; returns the result of `parse`.

        about        names the subject of the call in events: "plan" or a path
        parse        its Transient errors count as failed attempts; after an LLMBadOutput the next attempt has
                     the error's `for_model` text appended to its last message
        new_on_text  returns a text callback for each attempt
        continued    makes the request of each attempt, in place of `request`

        The caller stores its result in one commit with `usage_update`.

        Raises BudgetExceeded before a call that could exceed the budget, LLM* errors of the last attempt,
        SecretFound for an answer with a secret of this service, and the errors of `parse`.
        """
        if contains_secret(about, self.secrets()):
            raise own_secret_found("a path of the plan")

        current = request

        async def attempt() -> T:
            nonlocal current
            if continued:
                current = await continued.next_request()
            meter = CallMeter(about, self.models.current.limited(current))
            answer, call = await self._call(meter, new_on_text() if new_on_text else None)
            try:
                parsed = await self._parsed(parse, answer, about)
            except Exception as error:
                await self._store_unused(meter, answer.usage)
                current = _with_note(request, error)
                raise
            self.progress.accept(call)
            self._unstored[about] = meter
            return parsed

        async def before_retry(error: Transient, wait: float) -> None:
            await self._notify_retry(about, error, wait)

        def may_fail_over() -> bool:
            """A model does not continue the text of another one."""
            return not request.prefix and not (continued and continued.is_begun)

        return await self._with_failover(lambda: self.retry(attempt, before_retry), may_fail_over, about)

    async def _with_failover(
        self, call: Callable[[], Awaitable[T]], may_fail_over: Callable[[], bool], about: str
    ) -> T:
        """The result of the first model whose call succeeds."""
        while True:
            used = self.models.current
            try:
                return await call()
            except ProviderError as error:
                if not may_fail_over() or not await self._fail_over(used, error, about):
                    raise

    async def _fail_over(self, failed: OpenedModel, error: ProviderError, about: str) -> bool:
        """Whether another model answers from now on."""
        if not error.helps_failover or not (chosen := await self.models.replace(failed)):
            return False
        if chosen.is_new:
            model = chosen.model
            earlier = self.budget_tracker.change_model(model.name, model.price)
            log.warning("another model answers", about=about, code=error.code, model=model.name)
            data = {"about": about, "from": failed.name, "to": model.name, "code": error.code}
            await self.emit(
                StageUpdate(
                    kind=FAILOVER,
                    data={**data, "message": error.message},
                    checkpoints={FAILOVER: earlier.model_dump_json()},
                    is_progress=False,
                )
            )
        return True

    async def _parsed(self, parse: Callable[[Answer], T], answer: Answer, about: str) -> T:
        """Runs `_checked`; for a long answer in a thread, since it may take seconds."""
        with anyio.CancelScope(shield=True):  # the answer is paid for, and is stored next
            parsed = await run_on_text(len(answer.text), self._checked, parse, answer, about)
        return parsed

    def _checked(self, parse: Callable[[Answer], T], answer: Answer, about: str) -> T:
        """The result of `parse`. Raises SecretFound if the result, or the error, contains a secret of this
        service: JSON can hide one in escapes, so that the text does not show it."""
        try:
            parsed = parse(answer)
        except GencodeError as error:
            if isinstance(error, LLMBadOutput):
                error.quote(answer.text)
            self._check_message(error, about)
            raise
        if isinstance(parsed, BaseModel) and contains_secret(parsed.model_dump_json(), self.secrets()):
            raise own_secret_found(about)
        return parsed

    def _check_message(self, error: BaseException, about: str) -> None:
        """Redacts what a provider says. Raises SecretFound for another error that quotes the model."""
        if not isinstance(error, GencodeError) or not contains_secret(error.message, self.secrets()):
            return
        if not isinstance(error, ProviderError):
            raise own_secret_found(about) from None
        error.message = redact(error.message, self.secrets())

    def usage_update(self, about: str, usage: Usage) -> StageUpdate:
        """The `usage` event of an answered call: its tokens, and the task's total so far. To be stored in one
        commit with the checkpoint of the answer, which has the usage."""
        meter = self._unstored.pop(about, None)
        return self._usage_event(about, usage, meter, settled(meter.checkpoint) if meter else {})

    def _usage_event(
        self, about: str, usage: Usage, meter: CallMeter | None, checkpoints: Mapping[str, str]
    ) -> StageUpdate:
        data: dict[str, Any] = {"about": about, "tokens": asdict(usage), "total": self.budget_tracker.view()}
        if meter:
            data["seconds"] = round(meter.seconds, 1)
        return StageUpdate(kind="usage", data=data, checkpoints=checkpoints, is_progress=False)

    async def _notify_retry(self, about: str, error: Transient, wait: float) -> None:
        data = {"about": about, "code": error.code, "wait_seconds": round(wait, 1)}
        log.warning("asking the model again", reason=error.message, **data)
        self.metrics.retries.labels(error.code).inc()
        if error.retry_after or isinstance(error, LLMRateLimit):
            self.progress.rate_limited(about, wait)
        await self.emit(StageUpdate(kind="retry", data={**data, "message": error.message}))

    # --- one call ---------------------------------------------------------------------------------------

    async def _call(self, meter: CallMeter, on_text: OnText | None) -> tuple[Answer, CallProgress]:
        """Makes one attempt, charged to the budget. The charge of a failed attempt is stored, too."""
        async with self.budget_tracker.reserve(meter.request) as reserve:
            with self.progress.track(meter.about, is_waiting=True) as call:
                try:
                    answer = await self._stream(meter, reserve, call, on_text)
                except (Exception, asyncio.CancelledError) as error:
                    meter.seconds = call.seconds
                    await self._charge_failed(meter, error)
                    self._check_message(error, meter.about)
                    raise
            meter.seconds = call.seconds
            await self._charge(meter, answer.usage)
        return answer, call

    async def _stream(
        self, meter: CallMeter, reserve: Usage, call: CallProgress, on_text: OnText | None
    ) -> Answer:
        text = ScreenedAnswerStream(meter, self.emit, self.secrets(), on_text)
        finish: str | None = None

        async def on_send() -> None:
            call.send()
            await self.ledger.reserve(self._ledger_call(meter), reserve, self.budget_tracker.cost(reserve))
            meter.is_reserved = True
            await self.emit(StageUpdate(checkpoints=reserved(meter.checkpoint, reserve), is_progress=False))
            meter.is_sent = True

        has_reasoning = False
        async with aclosing(self.provider.stream(meter.request, on_send)) as chunks:
            async for chunk in chunks:
                meter.receive(chunk)
                call.add_chunk(len(chunk.text))
                if chunk.text and (passed := text.feed(chunk.text)):
                    await text.pass_on(passed)
                finish = chunk.finish_reason or finish
                has_reasoning = has_reasoning or bool(chunk.reasoning)
        if rest := text.finish():
            await text.pass_on(rest)
        if finish not in ("stop", "length"):
            raise LLMIncomplete("the model's stream ended without saying that it was done")
        return Answer(
            text=text.whole(),
            truncated=finish == "length",
            usage=meter.usage(),
            has_reasoning=has_reasoning,
        )

    def _ledger_call(self, meter: CallMeter) -> LedgerCall:
        model = self.models.current
        return LedgerCall(
            id=meter.checkpoint,
            task_id=self.task_id,
            kind=self.kind,
            principal=self.client,
            model=model.provider.name,
            config_id=model.config_id,
        )

    async def _charge(self, meter: CallMeter, usage: Usage) -> None:
        """Counts the usage of a call. If the ledger cannot be written, the call's reserve counts there."""
        self.budget_tracker.add(usage)
        cost = self.budget_tracker.cost(usage)
        if usage.prompt or usage.completion:
            tokens = {"prompt": usage.prompt, "completion": usage.completion, "cached": usage.cached}
            self.metrics.charged(self.provider.name, self.client, tokens, cost)
        if not meter.is_reserved:
            return
        with anyio.CancelScope(shield=True):  # the answer is paid for, and is stored next
            try:
                await self.ledger.settle(self._ledger_call(meter), usage, cost)
            except StoreError as error:
                log.warning("a call is not settled in the ledger", about=meter.about, error=error.message)

    async def _charge_failed(self, meter: CallMeter, error: BaseException) -> None:
        """Charges a failed call, also when the run is cancelled. If the store fails then, the reserve of the
        call counts."""
        usage = meter.usage_after(error)
        await self._charge(meter, usage)
        if not meter.is_reserved:
            return
        try:
            await self._store_unused(meter, usage)
        except (StoreError, Conflict):
            if isinstance(error, Exception):
                raise
            log.warning("the charge of a cancelled call is not stored: its reserve counts", about=meter.about)

    async def _store_unused(self, meter: CallMeter, usage: Usage) -> None:
        """Settles a call whose answer is not stored. A call without cost emits no event."""
        if usage == Usage():
            await self.emit(StageUpdate(checkpoints=settled(meter.checkpoint), is_progress=False))
        else:
            settlement = settled(meter.checkpoint, usage)
            await self.emit(self._usage_event(meter.about, usage, meter, settlement))


class LLMSessionFactory:
    """Creates the session of one run of a task's stage.

    open_model  opens the models that tasks name
    secrets_of  those that no answer for a principal may contain
    """

    def __init__(
        self,
        open_model: OpenModel,
        retry: Retry,
        metrics: Metrics,
        progress_registry: ProgressRegistry | None = None,
        secrets_of: SecretsOf = lambda principal: (),
        ledger: UsageLedger | None = None,
    ) -> None:
        self._open_model = open_model
        self._retry = retry
        self._metrics = metrics
        self._progress_registry = progress_registry or ProgressRegistry()
        self._secrets_of = secrets_of
        self._ledger = ledger or NoLedger()

    async def create(
        self,
        model: str,
        task_id: str,
        *,
        spent: Usage,
        budget: Budget,
        emit: Emit,
        client: str = "",
        kind: str = "",
        failover: Failover | None = None,
    ) -> LLMSession:
        """
        model     the name of the task's model
        spent     the usage of all calls of the task so far, those of earlier stages and runs included
        client    the id of the task's principal
        failover  the models that replace it

        Raises Invalid for a model that is not configured, or is not the principal's.
        """
        failover = failover or Failover()
        models = await TaskModels.open(model, failover, lambda name: self._open_model(name, client))
        return LLMSession(
            models=models,
            task_id=task_id,
            kind=kind,
            client=client,
            emit=emit,
            budget_tracker=BudgetTracker(spent, budget, models.current.price, failover.earlier),
            retry=self._retry,
            metrics=self._metrics,
            progress=self._progress_registry.begin(task_id, lambda: models.current.provider.pause),
            ledger=self._ledger,
            secrets=lambda: self._secrets_of(client),
        )


def _with_note(request: ChatRequest, error: Exception) -> ChatRequest:
    """The request with the error's `for_model` text appended to its last message."""
    note = error.for_model if isinstance(error, LLMBadOutput) else ""
    if not note:
        return request
    *before, last = request.messages
    noted = replace(last, content=f"{last.content}\n\nYour previous answer could not be used: {note}")
    return replace(request, messages=(*before, noted))
