"""The limits of subscription plans, as the settings have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Plan(StrEnum):
    """A subscription level."""

    FREE = "free"
    TEAM = "team"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRules:
    """None: no limit. A value of a team's own takes precedence over `max_*` and `storage_quota_mb`.

    generations  in a calendar month (UTC), by plan
    """

    generations: Mapping[Plan, int] = field(default_factory=dict)
    max_members: int | None = None
    max_projects: int | None = None
    storage_quota_mb: int | None = None
