"""Sums up what deleted tasks have used. Independent of the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from gencode.engine.ports.retention_store import UsageTotal
from gencode.storage.rows import Row, read_request

TOTAL_COLUMNS = (
    *("principal", "kind", "model", "month"),
    *("tasks", "prompt_tokens", "completion_tokens", "cached_tokens", "cost"),
)
TOTAL_KEY = TOTAL_COLUMNS[:4]


def task_usage(principal: str, kind: str, created_at: str, parameters: str, usage: str | None) -> UsageTotal:
    """The usage of one task, from its columns and the data of its last `usage` event, whose "total" has the
    counts.

    Counts that cannot be read are 0.
    """
    total = read_request(usage or "{}").get("total")
    counts = total if isinstance(total, dict) else {}
    model = read_request(parameters).get("model")
    return UsageTotal(
        principal=principal,
        kind=kind,
        model=model if isinstance(model, str) else "",
        month=created_at[:7],
        tasks=1,
        prompt_tokens=_count(counts.get("prompt")),
        completion_tokens=_count(counts.get("completion")),
        cached_tokens=_count(counts.get("cached")),
        cost=_add_costs(None, counts.get("cost")),
    )


def add_up(totals: Iterable[UsageTotal]) -> list[UsageTotal]:
    """One total for each principal, kind, model and month."""
    sums: dict[Row, UsageTotal] = {}
    for total in totals:
        key = total_to_row(total)[: len(TOTAL_KEY)]
        sums[key] = _add(sums[key], total) if key in sums else total
    return list(sums.values())


def total_to_row(total: UsageTotal) -> Row:
    return astuple(total)


def row_to_total(row: Row) -> UsageTotal:
    return UsageTotal(**dict(zip(TOTAL_COLUMNS, row, strict=True)))


def _add(one: UsageTotal, other: UsageTotal) -> UsageTotal:
    return replace(
        one,
        tasks=one.tasks + other.tasks,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost=_add_costs(one.cost, other.cost),
    )


def _add_costs(one: str | None, other: Any) -> str | None:
    costs = [cost for cost in map(_decimal, (one, other)) if cost is not None]
    return format(sum(costs), "f") if costs else None


def _decimal(value: Any) -> Decimal | None:
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and abs(cost.adjusted()) < 20 else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0
