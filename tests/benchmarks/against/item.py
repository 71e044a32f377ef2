"""The seam between the items and the run that interleaves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.benchmarks.against.service import Checkout

Figures = dict[str, float]
"""By name, with the unit after a comma."""

Measure = Callable[[], Figures]
"""One round."""

Opened = Callable[[Checkout], AbstractContextManager[Measure]]
"""What is needed for all rounds of one checkout."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """`goals`: by name of a figure, what the redesign is to reach."""

    opened: Opened
    rounds: int
    goals: Mapping[str, str] = field(default_factory=dict)
