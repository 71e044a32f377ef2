"""The size of a team: its members, its projects, and the storage of its artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import PlanLimitReached
from gencode.domain.phrase import Phrase
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.projects.table import Project
from gencode.workspace.teams.tables import Team, TeamMember

MEGABYTE = 2**20
_ADVICE = Phrase("or ask an admin of the service for more")


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """`limit`: None for no limit."""

    used: int
    limit: int | None

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.used >= self.limit


async def members_of(session: AsyncSession, team: Team, rules: PlanRules) -> Use:
    counted = select(func.count()).select_from(TeamMember).where(TeamMember.team_id == team.id)
    return await _use(session, counted, team.max_members, rules.max_members)


async def projects_of(session: AsyncSession, team: Team, rules: PlanRules) -> Use:
    """Archived ones included."""
    mine = (Project.team_id == team.id, ~Project.is_deleted)
    counted = select(func.count()).select_from(Project).where(*mine)
    return await _use(session, counted, team.max_projects, rules.max_projects)


async def storage_of(session: AsyncSession, team: Team, rules: PlanRules) -> Use:
    """In bytes, of deleted projects too until they are purged."""
    limit = rules.storage_quota_mb if team.storage_quota_mb is None else team.storage_quota_mb
    counted = select(func.coalesce(func.sum(Project.storage_used_bytes), 0)).where(Project.team_id == team.id)
    return await _use(session, counted, None if limit is None else limit * MEGABYTE, None)


async def _use(session: AsyncSession, counted: Any, own: int | None, rule: int | None) -> Use:
    return Use(used=int(await session.scalar(counted) or 0), limit=rule if own is None else own)


async def check_members(session: AsyncSession, team: Team, rules: PlanRules) -> None:
    """Whether one more may join; the caller holds the team. Raises PlanLimitReached."""
    use = await members_of(session, team, rules)
    if use.is_full:
        raise PlanLimitReached(
            Phrase(
                "the team has {used} of {limit} members: remove one, {advice}",
                used=use.used,
                limit=use.limit,
                advice=_ADVICE,
            )
        )


async def check_projects(session: AsyncSession, project: Project, rules: PlanRules) -> None:
    """Whether this new project may be stored; the caller holds its team. Raises PlanLimitReached."""
    if project.team_id is None:
        return
    use = await projects_of(session, await session.get_one(Team, project.team_id), rules)
    if use.is_full:
        raise PlanLimitReached(
            Phrase(
                "the team has {used} of {limit} projects: delete one, {advice}",
                used=use.used,
                limit=use.limit,
                advice=_ADVICE,
            )
        )


async def check_storage(session: AsyncSession, team: Team, rules: PlanRules) -> None:
    """Whether there is room for any artifact. Raises PlanLimitReached."""
    use = await storage_of(session, team, rules)
    if use.limit is not None and use.is_full:
        raise PlanLimitReached(
            Phrase(
                "the team uses {used} of {limit} MB for artifacts: "
                "delete tasks that have made some, {advice}",
                used=megabytes(use.used),
                limit=megabytes(use.limit),
                advice=_ADVICE,
            )
        )


async def add_storage(session: AsyncSession, project_id: str, size: int, rules: PlanRules) -> None:
    """Counts `size` bytes of artifacts of a project, or gives back -`size`, in the transaction that stores or
    removes them; nothing for a project that was purged. Raises PlanLimitReached."""
    project = await session.get(Project, project_id, with_for_update=True)
    if project is None:
        return
    if project.team_id is not None and size > 0:
        team = await session.get_one(Team, project.team_id, with_for_update=True)
        use = await storage_of(session, team, rules)
        if use.limit is not None and use.used + size > use.limit:
            raise PlanLimitReached(
                Phrase(
                    "the team uses {used} of {limit} MB, {size} MB more are needed: "
                    "delete tasks that have made some, {advice}",
                    used=megabytes(use.used),
                    limit=megabytes(use.limit),
                    size=megabytes(size),
                    advice=_ADVICE,
                )
            )
    project.storage_used_bytes = max(project.storage_used_bytes + size, 0)


def megabytes(size: int) -> int:
    """Rounded up."""
    return -(-size // MEGABYTE)
