"""Estimates the cost of a request from earlier tasks, or by a documented rule if there are too few."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median, quantiles

from pydantic import BaseModel, ConfigDict

from gencode.domain.event import Event
from gencode.llm.port import Usage
from gencode.llm.prices import Price
from gencode.llm.token_estimate import estimate_tokens

MIN_HISTORY = 3
"""The fewest completed tasks from which an estimate is made; with fewer, the rule is better."""
INSTRUCTIONS = 900
"""Prompt tokens of a call besides the request's own prompt: our instructions and the plan."""
FEW_FILES, MANY_FILES = 5, 30
"""Numbers of files in a small and in a large project."""
SHORT_FILE, LONG_FILE = 300, 1200
"""Tokens of a file in a small and in a large project."""
PLAN_ENTRY = 60
"""Tokens of a file's entry in the plan."""


class TokenRange(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    low: int
    high: int


class CostRange(BaseModel):
    """Decimal numbers as text."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    low: str
    high: str


class Estimate(BaseModel):
    """Half of comparable tasks are between `low` and `high`; `basis` names the source of the figures."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    model: str
    prompt_tokens: int
    completion_tokens: TokenRange
    cost: CostRange | None
    basis: str


def estimate(prompt: str, model: str, history: Sequence[Usage], price: Price | None) -> Estimate:
    """`history`: the usage of completed tasks with the same model."""
    samples = history if len(history) >= MIN_HISTORY else _by_rule(prompt)
    low, high = _range([Decimal(sample.completion) for sample in samples])
    cost = _range([price.of(sample) for sample in samples]) if price else None
    return Estimate(
        model=model,
        prompt_tokens=int(median(sample.prompt for sample in samples)),
        completion_tokens=TokenRange(low=int(low), high=int(high)),
        cost=CostRange(low=f"{cost[0]:.6f}", high=f"{cost[1]:.6f}") if cost else None,
        basis=_basis(len(history), sum(sample.estimated for sample in history)),
    )


def total_usage(events: Sequence[Event]) -> Usage | None:
    """The usage of all calls of a task, from its log; None if there was no call."""
    totals = [event.data["total"] for event in events if event.kind == "usage"]
    if not totals:
        return None
    newest = totals[-1]
    return Usage(
        prompt=newest["prompt"],
        completion=newest["completion"],
        cached=newest["cached"],
        estimated=newest.get("estimated", False),
    )


def _by_rule(prompt: str) -> list[Usage]:
    per_call = estimate_tokens(prompt) + INSTRUCTIONS
    return [
        Usage(prompt=(1 + files) * per_call, completion=files * (tokens + PLAN_ENTRY))
        for files, tokens in ((FEW_FILES, SHORT_FILE), (MANY_FILES, LONG_FILE))
    ]


def _range(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The lower and upper quartile; of two values, these values."""
    if len(values) < MIN_HISTORY:
        return min(values), max(values)
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return lower, upper


def _basis(tasks: int, estimated: int) -> str:
    """`estimated`: the number of tasks whose provider has not reported the usage of every call."""
    if tasks >= MIN_HISTORY:
        note = f"; the usage of {estimated} of them is an estimate itself" if estimated else ""
        return f"median and quartiles of your newest {tasks} completed tasks with this model{note}"
    return (
        f"a rule, as fewer than {MIN_HISTORY} of your tasks with this model are completed: one call for the "
        f"plan and one a file, {FEW_FILES} files of {SHORT_FILE} tokens to {MANY_FILES} files of "
        f"{LONG_FILE}; no repairs, nothing cached"
    )
