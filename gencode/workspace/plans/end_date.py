"""The last day of a subscription: after it, the free plan applies."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from gencode.workspace.plans.rules import Plan
from gencode.workspace.tables import now


def _checked_date(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date such as 2027-01-31") from None
    return text


LastDay = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_checked_date),
    Field(
        description="The last day (UTC) of the plan, such as 2027-01-31; null: it does not end",
        json_schema_extra={"format": "date"},
    ),
]


def plan_today(plan: str, ends_on: str | None) -> Plan:
    """`ends_on`: as LastDay."""
    has_ended = ends_on is not None and ends_on < f"{now():%Y-%m-%d}"
    return Plan.FREE if has_ended else Plan(plan)
