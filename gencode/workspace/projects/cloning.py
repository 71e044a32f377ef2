"""Clones projects: a new project with the fields of another one, and what belongs to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.http.base_models import RequestModel
from gencode.workspace.identity.actor import Actor
from gencode.workspace.projects.access import require_project
from gencode.workspace.projects.contents import clone_contents
from gencode.workspace.projects.resource import PROJECTS, Name, ProjectCode
from gencode.workspace.projects.table import CODE_LENGTH, Project, Visibility
from gencode.workspace.resources.models import RowId
from gencode.workspace.teams.roles import TEAM_ROLES, TeamRole
from gencode.workspace.teams.tables import TeamMember
from gencode.workspace.workspace import Workspace

COPIED = ("description", "tech_stack", "project_type")


class ProjectClone(RequestModel):
    """code     absent or null: one that is free
    team_id  absent: the team of the project for who may create projects there, else none; null: none, it is
             one's own
    """

    new_name: Name
    code: ProjectCode | None = None
    team_id: RowId | None = None


async def clone_project(workspace: Workspace, project_id: str, given: ProjectClone, actor: Actor) -> Project:
    """Raises NotFound, and the errors of a creation."""
    async with workspace.database.transaction() as session:
        source = await require_project(session, project_id, actor.id, TEAM_ROLES["cloneProject"])
        team_id = await _team(session, source, given, actor.id)
        code = given.code or await _free_code(session, source.code, team_id, actor.id)
    values: dict[str, Any] = {name: getattr(source, name) for name in COPIED}
    values |= {"name": given.new_name, "code": code, "team_id": team_id}
    is_same_team = team_id is not None and team_id == source.team_id
    values["visibility"] = source.visibility if is_same_team else Visibility.PRIVATE.value

    async def copy(session: AsyncSession, clone: Project) -> None:
        found = await require_project(session, project_id, actor.id, TEAM_ROLES["cloneProject"])
        await clone_contents(session, found, clone, actor)

    return await workspace.resource(PROJECTS).create(values, actor, then=copy)


async def _team(session: AsyncSession, source: Project, given: ProjectClone, principal: str) -> str | None:
    if "team_id" in given.model_fields_set or source.team_id is None:
        return given.team_id
    mine = (TeamMember.team_id == source.team_id, TeamMember.principal == principal)
    role = await session.scalar(select(TeamMember.role).where(*mine))
    return source.team_id if role and TeamRole(role).includes(TEAM_ROLES["createProject"]) else None


async def _free_code(session: AsyncSession, code: str, team_id: str | None, owner: str) -> str:
    beginning = f"{code[: CODE_LENGTH - 20]}-copy"
    among = (
        (Project.team_id.is_(None), Project.owner == owner)
        if team_id is None
        else (Project.team_id == team_id,)
    )
    alike = (*among, ~Project.is_deleted, Project.code.startswith(beginning, autoescape=True))
    taken = set(await session.scalars(select(Project.code).where(*alike)))
    number, found = 2, beginning
    while found in taken:
        found, number = f"{beginning}-{number}", number + 1
    return found
