"""The JSON of plans and of what they have been used for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gencode.http.base_models import RequestModel, ResponseModel
from gencode.workspace.plans.end_date import LastDay
from gencode.workspace.plans.quotas import Use, megabytes
from gencode.workspace.plans.rules import Plan
from gencode.workspace.resources.models import unchanged
from gencode.workspace.teams.tables import TeamStatus

Number = Annotated[int, Field(ge=0, le=10**9)]


class TeamPlanChange(RequestModel):
    """Fields that are not given stay as they are. A number that is null is that of the settings, with
    PLAN_LIMITS; else there is no limit."""

    subscription_plan: Plan = unchanged(Plan.FREE, is_enum=True)
    subscription_ends_on: LastDay | None = unchanged(None)
    max_members: Number | None = unchanged(None)
    max_projects: Number | None = unchanged(None)
    storage_quota_mb: Number | None = unchanged(None)
    status: TeamStatus = unchanged(TeamStatus.ACTIVE, is_enum=True)


class UseView(ResponseModel):
    """`limit`: null for none."""

    used: int
    limit: int | None

    @classmethod
    def of(cls, use: Use) -> UseView:
        return cls(used=use.used, limit=use.limit)

    @classmethod
    def in_megabytes(cls, use: Use) -> UseView:
        limit = None if use.limit is None else megabytes(use.limit)
        return cls(used=megabytes(use.used), limit=limit)


class TeamUsage(ResponseModel):
    """`generations`: of the team's projects in this month (UTC). `subscription_plan`: free after
    `subscription_ends_on`."""

    subscription_plan: Plan
    subscription_ends_on: str | None
    month: str
    members: UseView
    projects: UseView
    storage_mb: UseView
    generations: UseView


class SubscriptionView(ResponseModel):
    """The generations of one's own in this month (UTC), without those that teams count.
    `monthly_generation_limit`: null for none. `subscription_level`: free after `subscription_ends_on`."""

    subscription_level: Plan
    subscription_ends_on: str | None
    month: str
    monthly_generation_limit: int | None
    monthly_generation_used: int
    total_generation_count: int
