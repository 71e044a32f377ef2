"""What a request will probably cost: from what earlier tasks cost, else by a rule that is told."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median, quantiles

from pydantic import BaseModel, ConfigDict

from gencode.domain.event import Event
from gencode.llm.budget import CHARACTERS_PER_TOKEN, Price
from gencode.llm.port import Usage

ENOUGH = 3
"""Finished tasks, below which they tell less than the rule."""
INSTRUCTIONS = 900
"""Prompt tokens of a call besides the request's own prompt: our words and the plan."""
FEW, MANY = 5, 30
"""Files of a small and of a large project."""
SHORT, LONG = 300, 1200
"""Tokens of their files, and what the plan says of each comes on top."""
PLANNED = 60


class TokenRange(BaseModel):
    model_config = ConfigDict(frozen=True)

    low: int
    high: int


class CostRange(BaseModel):
    """Decimal numbers as text."""

    model_config = ConfigDict(frozen=True)

    low: str
    high: str


class Estimate(BaseModel):
    """Half of comparable tasks lie between `low` and `high`; `basis` says where the figures are from."""

    model_config = ConfigDict(frozen=True)

    model: str
    prompt_tokens: int
    completion_tokens: TokenRange
    cost: CostRange | None
    basis: str


def estimate(prompt: str, model: str, history: Sequence[Usage], price: Price | None) -> Estimate:
    """`history`: what completed tasks with the same model used."""
    samples = history if len(history) >= ENOUGH else _by_rule(prompt)
    low, high = _range([Decimal(sample.completion) for sample in samples])
    cost = _range([price.of(sample) for sample in samples]) if price else None
    return Estimate(
        model=model,
        prompt_tokens=int(median(sample.prompt for sample in samples)),
        completion_tokens=TokenRange(low=int(low), high=int(high)),
        cost=CostRange(low=f"{cost[0]:.6f}", high=f"{cost[1]:.6f}") if cost else None,
        basis=_basis(len(history)),
    )


def used(events: Sequence[Event]) -> Usage | None:
    """What a task used in all, by its log."""
    accounts = [event.data["total"] for event in events if event.kind == "usage"]
    if not accounts:
        return None
    newest = accounts[-1]
    return Usage(prompt=newest["prompt"], completion=newest["completion"], cached=newest["cached"])


def _by_rule(prompt: str) -> list[Usage]:
    own = len(prompt) // CHARACTERS_PER_TOKEN + INSTRUCTIONS
    return [
        Usage(prompt=(1 + files) * own, completion=files * (tokens + PLANNED))
        for files, tokens in ((FEW, SHORT), (MANY, LONG))
    ]


def _range(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The quartiles; of two values, themselves."""
    if len(values) < ENOUGH:
        return min(values), max(values)
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return lower, upper


def _basis(tasks: int) -> str:
    if tasks >= ENOUGH:
        return f"median and quartiles of your newest {tasks} completed tasks with this model"
    return (
        f"a rule, as fewer than {ENOUGH} of your tasks with this model are completed: one call for the plan "
        f"and one a file, {FEW} files of {SHORT} tokens to {MANY} files of {LONG}; no repairs, nothing cached"
    )
