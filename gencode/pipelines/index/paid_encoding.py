"""Calls of an encoder whose API may be paid for: retries, budget, ledger, and the usage of the task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

import anyio
import structlog

from gencode.domain.errors import StoreError, Transient
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.budget import BudgetTracker, total
from gencode.llm.charge_checkpoints import call_name, reserved, settled
from gencode.llm.errors import ProviderError
from gencode.llm.port import Usage
from gencode.llm.usage_ledger import LedgerCall, UsageLedger
from gencode.observability.metrics import Metrics
from gencode.pipelines.index.work import USED, IndexWork, Used
from gencode.resilience.retry import Retry
from gencode.retrieval.indexing import Encode
from gencode.retrieval.port import Encoded
from gencode.workspace.knowledge_bases.encoders import OpenedEncoder, reserve_of, usage_of
from gencode.workspace.knowledge_bases.requests import INDEX

log = structlog.get_logger(__name__)
ABOUT = "vectors"
"""The subject of the calls, in events."""


class PaidEncoding:
    """The calls of one run of the stage, one at a time."""

    def __init__(
        self,
        opened: OpenedEncoder,
        work: IndexWork,
        emit: Emit,
        ledger: UsageLedger,
        metrics: Metrics,
        retry: Retry,
    ) -> None:
        self._opened = opened
        self._work = work
        self._emit = emit
        self._ledger = ledger
        self._metrics = metrics
        self._retry = retry
        self._budget = BudgetTracker(work.spent, work.budget, opened.price)
        self._answered = work.answered
        self._checkpoint = call_name(ABOUT)
        self._calls = 0

    def use(self, opened: OpenedEncoder) -> None:
        """Calls this one from now on: the same API."""
        self._opened = opened

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Encode]:
        """What encodes one batch. Its usage is counted when the context ends: the caller has stored the
        vectors then, so that a process that is killed in between does not pay for them again.

        Raises BudgetExceeded, LimitReached, and the errors of the encoder.
        """
        usages: list[Usage] = []

        async def encode(texts: Sequence[str]) -> Encoded:
            if not self._opened.is_paid:
                return await self._opened.encoder.encode(texts)

            async def attempt() -> Encoded:
                return await self._attempt(texts)

            encoded = await self._retry(attempt, self._tell_retry)
            usages.append(usage_of(texts, encoded))
            return encoded

        yield encode
        for usage in usages:
            await self._settle(usage, is_answered=True)

    async def _attempt(self, texts: Sequence[str]) -> Encoded:
        reserve = reserve_of(texts)
        async with self._budget.reserve(reserve):
            self._calls += 1
            await self._ledger.reserve(self._ledger_call(), reserve, self._budget.cost(reserve))
            await self._emit(StageUpdate(checkpoints=reserved(self._checkpoint, reserve), is_progress=False))
            try:
                return await self._opened.encoder.encode(texts)
            except ProviderError as error:
                await self._settle(reserve if error.may_be_billed else Usage(), is_answered=False)
                raise

    async def _settle(self, usage: Usage, *, is_answered: bool) -> None:
        """Counts a call. If the ledger cannot be written, the call's reserve counts there."""
        with anyio.CancelScope(shield=True):  # it is paid for
            self._budget.add(usage)
            cost = self._budget.cost(usage)
            self._metrics.charged(self._opened.model, self._work.principal, {"prompt": usage.prompt}, cost)
            try:
                await self._ledger.settle(self._ledger_call(), usage, cost)
            except StoreError as error:
                log.warning("a call is not settled in the ledger", error=error.message)
            await self._emit(self._usage_update(usage, is_answered=is_answered))

    def _usage_update(self, usage: Usage, *, is_answered: bool) -> StageUpdate:
        if usage == Usage():
            return StageUpdate(checkpoints=settled(self._checkpoint), is_progress=False)
        checkpoints = settled(self._checkpoint, None if is_answered else usage)
        if is_answered:
            self._answered = total(self._answered, usage)
            checkpoints = {**checkpoints, USED: Used(usage=self._answered).model_dump_json()}
        data = {"about": ABOUT, "tokens": asdict(usage), "total": self._budget.view()}
        return StageUpdate(kind="usage", data=data, checkpoints=checkpoints, is_progress=is_answered)

    def _ledger_call(self) -> LedgerCall:
        return LedgerCall(
            id=f"{self._checkpoint}:{self._calls}",
            task_id=self._work.task_id,
            kind=INDEX,
            principal=self._work.principal,
            model=self._opened.model,
            config_id=self._opened.config_id,
        )

    async def _tell_retry(self, error: Transient, wait: float) -> None:
        self._metrics.retries.labels(error.code).inc()
        data = {"about": ABOUT, "code": error.code, "wait_seconds": round(wait, 1), "message": error.message}
        await self._emit(StageUpdate(kind="retry", data=data))
