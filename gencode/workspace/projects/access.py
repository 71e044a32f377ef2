"""Who may read and change a project, and what belongs to one.

class Blueprint(ProjectRow):                                    # has the column project_id
    ...
BLUEPRINTS = Resource(..., table=Blueprint, access=IN_PROJECT)  # and project_id is a field of its creation
PERMISSIONS = {**in_project(BLUEPRINTS), ...}                   # list, get: viewer; the others: member
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Forbidden, Invalid, NotFound
from gencode.workspace.errors import ProjectArchived
from gencode.workspace.projects.table import Project, ProjectRow, ProjectStatus, Visibility
from gencode.workspace.resources.access import Access, Action
from gencode.workspace.teams.access import check_team_role, require_team
from gencode.workspace.teams.roles import TEAM_ROLES, WRITE_CONTENT, TeamRole
from gencode.workspace.teams.tables import Team, TeamMember


def is_readable_project(principal: str) -> ColumnElement[bool]:
    """Of the table of projects."""
    sees_private = or_(
        Project.visibility == Visibility.TEAM,
        Project.owner == principal,
        TeamMember.role.in_(TeamRole.ADMIN.and_higher),
    )
    mine = and_(TeamMember.team_id == Project.team_id, TeamMember.principal == principal, sees_private)
    return and_(
        ~Project.is_deleted,
        or_(
            Project.visibility == Visibility.PUBLIC,
            and_(Project.team_id.is_(None), Project.owner == principal),
            select(TeamMember.id).where(mine).exists(),
        ),
    )


class ByProject(Access):
    """Of the resource of projects itself."""

    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        return is_readable_project(principal)

    async def check(self, session: AsyncSession, row: Project, principal: str, action: Action) -> None:
        least = TEAM_ROLES[f"{action}Project"]
        if action is Action.CREATE:
            await _check_team(session, row.team_id, principal, least)
        else:
            await _check_project_role(session, row, principal, least)


class InProject(Access):
    """Of resources whose table is a ProjectRow."""

    places = ("project_id",)

    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        is_own = and_(table.project_id.is_(None), table.owner == principal)
        return or_(is_own, table.project_id.in_(select(Project.id).where(is_readable_project(principal))))

    async def check(self, session: AsyncSession, row: ProjectRow, principal: str, action: Action) -> None:
        if row.project_id is None:
            if row.owner != principal:
                raise Forbidden("without a project it belongs to who created it: that is somebody else")
            return
        try:
            await require_project(session, row.project_id, principal)
        except NotFound as error:
            if action is not Action.CREATE:
                raise
            raise Invalid.of("project_id", "unknown", error.message) from None


BY_PROJECT = ByProject()
IN_PROJECT = InProject()


async def require_project(
    session: AsyncSession, project_id: str, principal: str, least: TeamRole = WRITE_CONTENT
) -> Project:
    """The project; it cannot be changed until the transaction ends. Raises NotFound for who may not read it,
    Forbidden for who has a lower role, ProjectArchived if more than reading is wanted of such a one."""
    is_there = and_(Project.id == project_id, is_readable_project(principal))
    project = await session.scalar(select(Project).where(is_there).with_for_update(read=True))
    if project is None:
        raise NotFound("there is no such project, or it belongs to somebody else")
    if least is TeamRole.VIEWER:
        return project
    await _check_project_role(session, project, principal, least)
    if project.status == ProjectStatus.ARCHIVED:
        raise ProjectArchived("the project is archived: unarchive it first")
    return project


async def _check_project_role(
    session: AsyncSession, project: Project, principal: str, least: TeamRole
) -> None:
    if project.team_id is not None:
        await check_team_role(session, await session.get_one(Team, project.team_id), principal, least)
    elif project.owner != principal:
        raise Forbidden("the project belongs to somebody else, who lets you read it")


async def _check_team(session: AsyncSession, team_id: str | None, principal: str, least: TeamRole) -> None:
    """A team cannot be deleted meanwhile."""
    if team_id is None:
        return
    try:
        await require_team(session, team_id, principal, least)
    except NotFound as error:
        raise Invalid.of("team_id", "unknown", error.message) from None
