"""What is in a project, and how it has been used."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel
from gencode.workspace.plans.generations import this_month
from gencode.workspace.plans.quotas import megabytes
from gencode.workspace.plans.table import Generation
from gencode.workspace.projects.contents import count_contents
from gencode.workspace.projects.table import Project
from gencode.workspace.teams.tables import TeamMember


class ProjectStats(ResponseModel):
    """contents         how many rows of each resource belong to it
    member_count     of its team; null without one
    generations      of all months, and of this one (UTC)
    last_generation_at  null before the first
    """

    project_id: str
    contents: dict[str, int]
    member_count: int | None
    generation_count: int
    generation_count_this_month: int
    last_generation_at: Moment | None
    storage_used_mb: int
    created_at: Moment
    updated_at: Moment


async def stats_of(session: AsyncSession, project: Project) -> ProjectStats:
    is_now = case((Generation.month == this_month(), 1), else_=0)
    summed = select(func.count(), func.coalesce(func.sum(is_now), 0), func.max(Generation.created_at))
    total, present, last = (await session.execute(summed.where(Generation.project_id == project.id))).one()
    return ProjectStats(
        project_id=project.id,
        contents=dict(await count_contents(session, project.id)),
        member_count=await _members(session, project.team_id),
        generation_count=total,
        generation_count_this_month=present,
        last_generation_at=rfc3339(last) if last else None,
        storage_used_mb=megabytes(project.storage_used_bytes),
        created_at=rfc3339(project.created_at),
        updated_at=rfc3339(project.updated_at),
    )


async def _members(session: AsyncSession, team_id: str | None) -> int | None:
    if team_id is None:
        return None
    counted = select(func.count()).select_from(TeamMember).where(TeamMember.team_id == team_id)
    return await session.scalar(counted)
