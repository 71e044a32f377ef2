"""Enforces quotas: rejects new tasks, retries and approvals of a principal whose quota is used up."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gencode.domain.errors import Invalid, QuotaExceeded, StillWorking
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task, now, rfc3339
from gencode.engine.ports.named_locks import NamedLocks
from gencode.engine.ports.retention_store import UsageTotal
from gencode.engine.quota import Period, Quota, Unit
from gencode.engine.quota_usage import QuotaUse, UsageStore, UseSince, use_in
from gencode.http.per_client_semaphore import PerClientSemaphore


@dataclass(kw_only=True, slots=True)
class _Known:
    """The known usage of a principal in the current period. `deleted`: totals of deleted tasks, as read when
    `since` was created."""

    start: datetime
    deleted: Sequence[UsageTotal]
    since: UseSince


@dataclass(kw_only=True)
class QuotaEnforcement:
    """Enforces the quotas of all principals.

    quotas_of  returns the quotas of a principal; empty for one without
    has_price  whether the cost of a task with these parameters is known
    locks      shared with the other processes of the store. None if single-process
    clock      the current time in UTC
    """

    store: UsageStore
    quotas_of: Callable[[str], Sequence[Quota]]
    has_price: Callable[[Mapping[str, Any]], bool]
    locks: NamedLocks | None = None
    clock: Callable[[], datetime] = now
    _known: dict[tuple[str, Period], _Known] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    _one_at_a_time: PerClientSemaphore = field(default_factory=lambda: PerClientSemaphore(1))

    def submission(self, principal: str, parameters: Mapping[str, Any]) -> AbstractAsyncContextManager[None]:
        """Store the new task within the context: submissions of a principal with quotas are serialized, so
        that all of them count. `parameters`: of the task.

        Raises QuotaExceeded, and Invalid for a model without a price where a quota limits the cost.
        """
        quotas = self.quotas_of(principal)
        return self._limited_submission(principal, quotas, parameters) if quotas else nullcontext()

    @asynccontextmanager
    async def _limited_submission(
        self, principal: str, quotas: Sequence[Quota], parameters: Mapping[str, Any]
    ) -> AsyncIterator[None]:
        async with self._locked(principal):
            self._check_price(quotas, parameters)
            await self._check(principal, quotas)
            yield

    @asynccontextmanager
    async def resumption(self, task: Task, *, calls_model: bool = True) -> AsyncIterator[None]:
        """Queue a failed or paused task again within the context: the task counts already, but may use more,
        unless it calls no model again.

        Raises the errors of `submission`.
        """
        principal = task.principal.id
        quotas = [quota for quota in self.quotas_of(principal) if quota.unit is not Unit.TASKS]
        async with self._locked(principal, changes=True):
            try:
                if quotas and calls_model:
                    self._check_price(quotas, task.parameters)
                    await self._check(principal, quotas)
                yield
            finally:
                self._forget(principal)

    def check_deletable(self, task: Task) -> None:
        """Raises StillWorking while a quota of the day counts it: a deleted task counts for its month."""
        start = Period.DAY.start(at := self.clock())
        if task.created_at >= start and any(
            one.period is Period.DAY for one in self.quotas_of(task.principal.id)
        ):
            end = rfc3339(Period.DAY.end(at))
            raise StillWorking(
                Phrase("a quota of this client counts the tasks of a day: delete it from {end} on", end=end)
            )

    @asynccontextmanager
    async def _locked(self, principal: str, *, changes: bool = False) -> AsyncIterator[None]:
        """Serializes the principal's submissions. `changes`: a finished task may run again, which invalidates
        the usage that other processes have read."""
        async with self._one_at_a_time.hold(principal):
            if not self.locks or not self.quotas_of(principal):
                yield
                return
            async with self.locks.lock(f"quota {principal}", changes=changes) as version:
                if self._versions.get(principal) != version:
                    self._forget(principal)
                self._versions[principal] = version
                yield

    def _forget(self, principal: str) -> None:
        for period in Period:
            self._known.pop((principal, period), None)

    def _check_price(self, quotas: Sequence[Quota], parameters: Mapping[str, Any]) -> None:
        limits_cost = any(quota.unit is Unit.COST for quota in quotas)
        if limits_cost and (model := parameters.get("model")) and not self.has_price(parameters):
            message = Phrase(
                "the model {model} has no price, and a quota limits the cost of this client: "
                "name another model, or have its price set in PRICES",
                model=model,
            )
            raise Invalid.of("model", "no_price", message)

    async def _check(self, principal: str, quotas: Sequence[Quota]) -> None:
        at = self.clock()
        uses = {period: await self._use(principal, period, at) for period in {one.period for one in quotas}}
        for quota in quotas:
            if (used := uses[quota.period].of(quota.unit)) >= quota.amount:
                end = quota.period.end(at)
                raise QuotaExceeded(
                    Phrase(
                        "the quota of this client is used up: {used:f} of {quota}; the next {period} "
                        "begins at {end}",
                        used=used,
                        quota=quota,
                        period=quota.period,
                        end=rfc3339(end),
                    ),
                    retry_after=math.ceil((end - at).total_seconds()),
                )

    async def _use(self, principal: str, period: Period, at: datetime) -> QuotaUse:
        start, deleted = period.start(at), await self.store.usage_totals(principal)
        known = self._known.get((principal, period))
        if not known or known.start != start or known.deleted != deleted:
            since = UseSince(self.store, principal, start)
            known = self._known[principal, period] = _Known(start=start, deleted=deleted, since=since)
        return await use_in(period, start, known.since, deleted)
