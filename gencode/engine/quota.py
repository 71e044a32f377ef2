"""Quotas of a principal: the most tasks, tokens or cost in a day or a month (UTC). The use is measured in
`quota_usage`; quotas are enforced in gencode.http.quota_enforcement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

_TEXT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) *(tasks|tokens|cost) */ *(day|month)", re.ASCII)


class Unit(StrEnum):
    TASKS = "tasks"
    TOKENS = "tokens"
    COST = "cost"


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"

    def start(self, at: datetime) -> datetime:
        """The start of the period that contains this time (UTC)."""
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if self is Period.DAY else midnight.replace(day=1)

    def end(self, at: datetime) -> datetime:
        """The start of the next period."""
        longest = timedelta(days=1 if self is Period.DAY else 31)
        return self.start(self.start(at) + longest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """At most `amount` of `unit` in a `period`; as text, for example `100 tasks/day`."""

    amount: Decimal
    unit: Unit
    period: Period

    def __str__(self) -> str:
        return f"{self.amount:f} {self.unit}/{self.period}"


def parse_quota(text: str) -> Quota:
    """Parses a text such as `100 tasks/day`, `2000000 tokens/month` or `20.50 cost/month`. Raises
    ValueError."""
    found = _TEXT.fullmatch(text.strip())
    if not found or not (amount := Decimal(found[1])) or ("." in found[1] and found[2] != Unit.COST):
        raise ValueError(f"{text!r} is no quota")
    return Quota(amount=amount, unit=Unit(found[2]), period=Period(found[3]))
