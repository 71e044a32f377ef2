"""Sums of the usage of model calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.usage.config_use import ConfigUse
from gencode.workspace.usage.costs import cost_of
from gencode.workspace.usage.tables import ModelCall

MAX_GROUPS = 1000
COLUMNS: Mapping[str, Any] = {
    "month": ModelCall.month,
    "user": ModelCall.principal,
    "model": ModelCall.model,
    "kind": ModelCall.kind,
}
"""What usage can be grouped by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageSum:
    """by         the values of the group's columns
    cost       of the calls whose cost is known; None if there are none
    unpriced   calls whose cost is unknown
    estimated  calls whose tokens the provider did not report in full
    unsettled  calls that are counted at the most they can use: they are under way, or were when the process
               was killed
    """

    by: Mapping[str, str]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: Decimal | None
    unpriced: int
    estimated: int
    unsettled: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageReport:
    """`is_complete`: there are no more groups than MAX_GROUPS."""

    total: UsageSum
    groups: Sequence[UsageSum]
    is_complete: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageQuery:
    """Months from `first` to `last`, such as 2026-11. `principal`: None for all."""

    first: str
    last: str
    group_by: Sequence[str] = ()
    principal: str | None = None
    model: str = ""
    kind: str = ""


async def usage_report(session: AsyncSession, query: UsageQuery) -> UsageReport:
    conditions = _conditions(query)
    total = (await session.execute(select(*_sums()).where(*conditions))).one()
    columns = [COLUMNS[name] for name in query.group_by]
    found: Sequence[Row[Any]] = []
    if columns:
        groups = select(*columns, *_sums()).where(*conditions).group_by(*columns).order_by(*columns)
        found = (await session.execute(groups.limit(MAX_GROUPS + 1))).all()
    return UsageReport(
        total=_sum_of((), total),
        groups=[_sum_of(query.group_by, row) for row in found[:MAX_GROUPS]],
        is_complete=len(found) <= MAX_GROUPS,
    )


async def use_of_configs(
    session: AsyncSession, config_ids: Collection[str], month: str
) -> Mapping[str, ConfigUse]:
    """By config; one without calls has no entry."""
    tokens = func.sum(ModelCall.prompt_tokens + ModelCall.completion_tokens)
    sums = (ModelCall.config_id, tokens, *_cost_sums())
    is_wanted = (ModelCall.config_id.in_(config_ids), ModelCall.month == month)
    query: Select[Any] = select(*sums).where(*is_wanted).group_by(ModelCall.config_id)
    return {
        config_id: ConfigUse(tokens=int(used), cost=cost_of(int(millionths), int(rest)))
        for config_id, used, millionths, rest in await session.execute(query)
    }


def _conditions(query: UsageQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [ModelCall.month.between(query.first, query.last)]
    if query.principal is not None:
        found.append(ModelCall.principal == query.principal)
    if query.model:
        found.append(ModelCall.model == query.model)
    if query.kind:
        found.append(ModelCall.kind == query.kind)
    return found


def _cost_sums() -> tuple[Any, Any]:
    return func.coalesce(func.sum(ModelCall.cost_micro), 0), func.coalesce(func.sum(ModelCall.cost_rest), 0)


def _sums() -> list[Any]:
    """In the order of `_sum_of`."""
    counted = (ModelCall.prompt_tokens, ModelCall.completion_tokens, ModelCall.cached_tokens)
    return [
        func.count(),
        func.count(ModelCall.cost_micro),
        func.count().filter(ModelCall.is_estimated),
        func.count().filter(~ModelCall.is_settled),
        *(func.coalesce(func.sum(column), 0) for column in counted),
        *_cost_sums(),
    ]


def _sum_of(names: Sequence[str], row: Row[Any]) -> UsageSum:
    values = list(row)[len(names) :]
    calls, priced, estimated, unsettled, prompt, completion, cached, millionths, rest = map(int, values)
    return UsageSum(
        by=dict(zip(names, row, strict=False)),
        calls=calls,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cost=cost_of(millionths, rest) if priced else None,
        unpriced=calls - priced,
        estimated=estimated,
        unsettled=unsettled,
    )
