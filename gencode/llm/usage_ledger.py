"""The port to the ledger of model calls, which knows the use of each model config over all tasks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from gencode.llm.port import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerCall:
    """One call.

    id         unique within the task: the name of the call's checkpoint
    model      the provider's name, such as "deepseek/deepseek-flash"
    config_id  see OpenedModel
    """

    id: str
    task_id: str
    kind: str
    principal: str
    model: str
    config_id: str


class UsageLedger(Protocol):
    async def reserve(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None:
        """Records the most that a call can use, before it is sent; again without effect. It counts in full
        until it is settled. Raises LimitReached if the call could exceed a limit of its model config."""
        ...

    async def settle(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None:
        """Replaces what was reserved by what the call has used."""
        ...


class NoLedger:
    """Of a service without a workspace: the task log has what its tasks have used."""

    async def reserve(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None: ...

    async def settle(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None: ...
