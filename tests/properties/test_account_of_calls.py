"""Whatever models, stores and processes do: the account of a task and its limit are true.

The invariant, over histories of several calls at once, retries, missing usage, broken and refused streams,
rejected answers, cancellations and kill -9:

- at any moment the provider has billed at most the limit and one call's reserve;
- after every run the account has what the provider told, exactly, and of what it did not tell at least what
  was sent and received;
- what the next run restores from the checkpoints is that account. A call in progress at a kill has its
  reserve;
- a task that ends then, before its next call, is told that account in its last usage event, and no call
  stays open.

A history is made from a seed. It drives the real session over a model and a store of the test's own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from random import Random

import anyio
import pytest
from structlog.testing import capture_logs

from gencode.codegen.file_checkpoints import Piece
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget, total
from gencode.llm.charge_checkpoints import open_calls, usages_without_answer
from gencode.llm.errors import (
    BudgetExceeded,
    LLMBadOutput,
    LLMNetwork,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMTruncated,
    ProviderError,
)
from gencode.llm.interrupted_calls import lost_call_updates
from gencode.llm.port import ChatChunk, ChatRequest, Message, OnSend, Usage
from gencode.llm.session import Answer, LLMSession, LLMSessionFactory
from gencode.llm.token_estimate import worst_case
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from tests.servers.model_client import opening

HISTORIES = 10_000
AT_ONCE = 500
"""Histories of one test."""
METRICS = Metrics()
TOKENS = {"english": " word", "chinese": "生成", "base64": "aG9", "digit": "7", "code": " x =", "one": "."}
"""A token of each kind of text, as real tokenizers cut it."""
UNSEEN = 3
"""Tokens that a provider has generated, and bills, when a stream breaks off before they were sent."""


class Killed(BaseException):
    """kill -9: no handler of the process runs, and nothing is stored any more."""


@dataclass
class Call:
    """As the provider knows it."""

    prompt: int
    reserve: int
    billed: int = 0
    received: int = 0
    told: int | None = None
    """What was told last, unless text came after it."""

    @property
    def known(self) -> int:
        return self.prompt + self.received if self.told is None else self.told


@dataclass
class Store:
    """The durable side: what is emitted in one call is stored in one step."""

    random: Random
    checkpoints: dict[str, str] = field(default_factory=dict)
    kill_in: int = -1
    """Commits before the process is killed, before or after one; negative: never."""
    is_dead: bool = False

    async def emit(self, *updates: StageUpdate) -> None:
        if self.is_dead:
            raise Killed
        durable = [update for update in updates if update.checkpoints]
        if not durable:
            return
        with anyio.CancelScope(shield=True):  # as the task log does
            await anyio.lowlevel.checkpoint()
        if self.is_dead:
            raise Killed
        self.kill_in -= 1
        self.is_dead = self.kill_in == 0
        if self.is_dead and self.random.random() < 0.5:
            raise Killed
        for update in durable:
            self.checkpoints.update(update.checkpoints)
        if self.is_dead:
            raise Killed

    @property
    def answers(self) -> Mapping[str, Usage]:
        return answers_in(self.checkpoints)

    def account(self) -> Usage:
        return account_of(self.checkpoints)


def answers_in(checkpoints: Mapping[str, str]) -> Mapping[str, Usage]:
    """By path."""
    return {
        name.removeprefix("piece:"): Piece.model_validate_json(text).usage
        for name, text in checkpoints.items()
        if name.startswith("piece:")
    }


def account_of(checkpoints: Mapping[str, str]) -> Usage:
    """As the pipeline restores it."""
    return total(*answers_in(checkpoints).values(), *usages_without_answer(checkpoints))


class Model:
    """A provider whose behaviour is drawn for each call; it counts what it bills."""

    name, native_prefix, pause = "model/m", True, 0.0

    def __init__(self, random: Random, limit: int) -> None:
        self._random = random
        self._limit = limit
        self.calls: list[Call] = []
        self.tells_usage = random.random() < 0.7
        self.slots = asyncio.Semaphore(random.randint(1, 3))

    @property
    def billed(self) -> int:
        return sum(call.billed for call in self.calls)

    async def stream(
        self, request: ChatRequest, on_send: OnSend | None = None
    ) -> AsyncGenerator[ChatChunk, None]:
        async with self.slots:
            assert on_send
            await on_send()
            self._refuse()
            reserve = worst_case(request)
            call = Call(
                prompt=request.messages[0].content.count("|"), reserve=reserve.prompt + reserve.completion
            )
            self.calls.append(call)
            self._bill(call, call.prompt)
            async for chunk in self._answer(call, request.max_tokens):
                yield chunk

    def _refuse(self) -> None:
        """What never reaches the model is not billed."""
        draw = self._random.random()
        if draw < 0.05:
            error: ProviderError = LLMNetwork("connection refused")
            error.may_be_billed = False
            raise error
        if draw < 0.1:
            raise LLMRateLimit("too many")

    async def _answer(self, call: Call, most: int) -> AsyncGenerator[ChatChunk, None]:
        random = self._random
        length = random.choice([0, 1, random.randint(1, most), most])
        breaks_at = random.randint(0, length) if random.random() < 0.3 else -1
        tells_early, written = random.random() < 0.2, 0
        while written < length:
            await anyio.lowlevel.checkpoint()
            if 0 <= breaks_at <= written:
                self._break_off(call)
            size = min(random.choice([1, 1, 7, 40]), length - written)
            written += size
            self._bill(call, size)
            text = TOKENS[random.choice(list(TOKENS))] * size
            call.received += size
            call.told = None
            told = self._tell(call) if tells_early else None
            is_reasoning = random.random() < 0.2
            yield ChatChunk(
                text="" if is_reasoning else text, reasoning=text if is_reasoning else "", usage=told
            )
        if breaks_at >= 0:
            self._break_off(call)
        told = self._tell(call) if self.tells_usage or tells_early else None
        if random.random() < 0.1:
            if told:
                yield ChatChunk(usage=told)
            raise LLMRefused("no")
        yield ChatChunk(finish_reason="length" if length == most else "stop", usage=told)

    def _break_off(self, call: Call) -> None:
        self._bill(call, self._random.randint(0, UNSEEN))
        raise self._random.choice([LLMNetwork("reset"), LLMTimeout("silence")])

    def _tell(self, call: Call) -> Usage:
        call.told = call.billed
        return Usage(prompt=call.prompt, completion=call.billed - call.prompt)

    def _bill(self, call: Call, tokens: int) -> None:
        call.billed += tokens
        reserve = max(call.reserve for call in self.calls)
        assert self.billed <= self._limit + reserve, "the limit does not hold"


class History:
    """The runs of one task, until it is over."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.limit = self.random.choice([500, 5_000, 60_000])
        self.store = Store(self.random)
        self.model = Model(self.random, self.limit)
        self.outcomes: Counter[str] = Counter()
        self._files = [f"file{number}" for number in range(self.random.randint(1, 5))]
        self._max_tokens = self.random.choice([20, 200, 900])

    async def play(self) -> None:
        for _ in range(6):
            self.store.is_dead = False
            self.store.kill_in = self.random.randint(1, 12) if self.random.random() < 0.4 else -1
            session = await self._session()
            outcome = await self._run(session)
            self.outcomes[outcome] += 1
            self._check(session, outcome)
            if outcome in ("complete", "limit"):
                break

    async def _session(self) -> LLMSession:
        factory = LLMSessionFactory(opening(self.model), _no_wait(), METRICS)
        budget = Budget(tokens=self.limit)
        return await factory.create("", "t", spent=self.store.account(), budget=budget, emit=self.store.emit)

    async def _run(self, session: LLMSession) -> str:
        outcomes: set[str] = set()
        cancelled = self.random.random() < 0.2
        try:
            async with anyio.create_task_group() as group:
                for path in self._files:
                    if path not in self.store.answers:
                        group.start_soon(self._write, session, path, outcomes)
                if cancelled:
                    for _ in range(self.random.randint(0, 60)):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
        except BaseExceptionGroup:
            if not self.store.is_dead:
                raise
            return "killed"
        if "limit" in outcomes:
            return "limit"
        return "complete" if len(self.store.answers) == len(self._files) else "failed or cancelled"

    async def _write(self, session: LLMSession, path: str, outcomes: set[str]) -> None:
        prompt = "".join(f"|{word}" for word in ["do"] * self.random.randint(5, 60))
        request = ChatRequest(messages=(Message(role="user", content=prompt),), max_tokens=self._max_tokens)
        try:
            usage = await session.ask(request, path, self._parse)
        except BudgetExceeded:
            outcomes.add("limit")
        except ProviderError:
            outcomes.add("failed")
        else:
            await self._store(session, path, usage)

    def _parse(self, answer: Answer) -> Usage:
        draw = self.random.random()
        if draw < 0.1:
            raise LLMBadOutput("not what was asked for")
        if draw < 0.13:
            raise LLMTruncated("it does not end")
        return answer.usage

    async def _store(self, session: LLMSession, path: str, usage: Usage) -> None:
        """In one commit: the answer with its usage, and the event, which settles the call."""
        piece = Piece(text="", whole=True, usage=usage)
        saved = StageUpdate(checkpoints={f"piece:{path}": piece.model_dump_json()})
        await self.store.emit(saved, session.usage_update(path, usage))

    def _check(self, session: LLMSession, outcome: str) -> None:
        calls, account = self.model.calls, self.store.account()
        spent = account.prompt + account.completion
        known = sum(call.known for call in calls)
        assert spent >= known
        if outcome != "killed":
            in_memory = session.budget_tracker.spent
            assert (in_memory.prompt, in_memory.completion) == (account.prompt, account.completion)
        if not account.estimated:
            assert spent == known
        self._check_end(account)

    def _check_end(self, account: Usage) -> None:
        """As if the task were cancelled now."""
        stored, told = dict(self.store.checkpoints), None
        for update in lost_call_updates(stored, account_of, lambda: None):
            stored |= update.checkpoints
            told = update.data["total"]
        assert not open_calls(stored)
        assert account_of(stored) == account
        if told:
            assert (told["prompt"], told["completion"]) == (account.prompt, account.completion)
            assert told["estimated"]
        else:
            assert not open_calls(self.store.checkpoints)


def _no_wait() -> Retry:
    async def sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    return Retry(base=0.0, cap=0.0, sleep=sleep)


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(batch, marks=[pytest.mark.campaign] if batch else [])
        for batch in range(HISTORIES // AT_ONCE)
    ],
)
async def test_the_account_is_true_and_the_limit_holds(batch: int) -> None:
    outcomes: Counter[str] = Counter()
    with capture_logs():
        for seed in range(batch * AT_ONCE, (batch + 1) * AT_ONCE):
            history = History(seed)
            await history.play()
            outcomes += history.outcomes
    assert outcomes.keys() == {"complete", "limit", "killed", "failed or cancelled"}
