"""The port to the counts of submissions, each in a moving window of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """The result of counting a submission.

    allowed     whether it was within the limit; only then it was counted
    remaining   how many more are allowed at once
    reset       seconds until the oldest one leaves the window
    """

    allowed: bool
    remaining: int
    reset: float


class RateWindow(Protocol):
    async def spend(self, name: str, amount: int, seconds: int) -> Spent:
        """Count one submission, unless `amount` were counted within the last `seconds` under this name.

        Raises StoreError.
        """
        ...
