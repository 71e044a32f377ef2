"""The port by which a kind asks whether its submitter may generate once more in this month.

async def prepare(services, request, submitter):
    reservation = await services.limits.reservation(submitter.principal, request.project_id)
    return PreparedTask(..., reservation=reservation)

The generation is counted when the task is stored, so that parallel submissions cannot pass the limit.
"""

from __future__ import annotations

from typing import Protocol

from gencode.domain.principal import Principal


class Reservation(Protocol):
    """Counts the generation of one task. `submit` calls `take` before the task is stored, then one of the
    others, unless the outcome is unknown."""

    async def take(self, task_id: str) -> None:
        """Raises PlanLimitReached, StoreError."""
        ...

    async def confirm(self, task_id: str) -> None:
        """The task is stored. Raises StoreError."""
        ...

    async def release(self, task_id: str) -> None:
        """The task is not stored. Raises StoreError."""
        ...


class GenerationLimits:
    """Counts nothing. The workspace provides one that does, as an extension of the dependencies of kinds."""

    async def reservation(self, principal: Principal, project_id: str | None = None) -> Reservation | None:
        """None if nothing is counted. In a project of a team, the team's plan counts it, else the
        principal's.

        Raises Invalid for a project that the principal may not read, Forbidden for one that it may not
        change, ProjectArchived, PlanLimitReached, StoreError.
        """
        return None
