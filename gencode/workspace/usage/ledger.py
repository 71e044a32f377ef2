"""Records model calls, and keeps the monthly limits of model configs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.llm.errors import LimitReached
from gencode.llm.port import Usage
from gencode.llm.usage_ledger import LedgerCall
from gencode.workspace.database import Database
from gencode.workspace.model_configs.table import ModelConfig
from gencode.workspace.tables import now
from gencode.workspace.usage.config_use import ConfigUse
from gencode.workspace.usage.costs import cost_parts, cost_text
from gencode.workspace.usage.sums import use_of_configs
from gencode.workspace.usage.tables import ModelCall


class DatabaseLedger:
    """Implements UsageLedger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None:
        """Raises LimitReached, StoreError."""
        month = f"{now():%Y-%m}"
        async with self._database.transaction() as session:
            if await session.scalar(_of(call)):
                return
            if call.config_id:
                await _check_limit(session, call.config_id, month, usage, cost)
            session.add(
                ModelCall(
                    task_id=call.task_id,
                    call=call.id,
                    kind=call.kind,
                    principal=call.principal,
                    model=call.model,
                    config_id=call.config_id or None,
                    month=month,
                    **_amounts(usage, cost),
                )
            )

    async def settle(self, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None:
        """Raises StoreError."""
        values = {**_amounts(usage, cost), "is_settled": True}
        of_call = (ModelCall.task_id == call.task_id, ModelCall.call == call.id)
        async with self._database.transaction() as session:
            await session.execute(update(ModelCall).where(*of_call).values(values))


def _of(call: LedgerCall) -> Any:
    return select(ModelCall.id).where(ModelCall.task_id == call.task_id, ModelCall.call == call.id)


def _amounts(usage: Usage, cost: Decimal | None) -> dict[str, Any]:
    millionths, rest = cost_parts(cost)
    return {
        "cost_micro": millionths,
        "cost_rest": rest,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cached,
        "cost": None if cost is None else f"{cost:f}",
        "is_estimated": usage.estimated,
    }


async def _check_limit(
    session: AsyncSession, config_id: str, month: str, usage: Usage, cost: Decimal | None
) -> None:
    """Locks the config until the transaction ends, so that calls at the same time count each other."""
    config = await session.scalar(select(ModelConfig).where(ModelConfig.id == config_id).with_for_update())
    if config is None or (config.monthly_token_limit is None and config.monthly_cost_limit is None):
        return
    used = (await use_of_configs(session, [config_id], month)).get(config_id, ConfigUse())
    tokens = used.tokens + usage.prompt + usage.completion
    if config.monthly_token_limit is not None and tokens > config.monthly_token_limit:
        raise LimitReached(
            f"the next call could pass the monthly limit of {config.monthly_token_limit} tokens of the model"
            f" config {config.name!r} ({used.tokens} are used)"
        )
    if config.monthly_cost_limit is not None and cost is not None:
        limit = Decimal(config.monthly_cost_limit)
        if used.cost + cost > limit:
            raise LimitReached(
                f"the next call could pass the monthly limit of {limit:f} of the model config"
                f" {config.name!r} ({cost_text(used.cost)} is used)"
            )
