"""The resource of teams: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.errors import TeamHasProjects
from gencode.workspace.plans.rules import Plan
from gencode.workspace.projects.table import Project
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, TEXT_WITHOUT_NUL, unchanged
from gencode.workspace.teams.access import BY_TEAM
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.tables import CODE_LENGTH, Team, TeamMember, TeamStatus

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
TeamCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length=CODE_LENGTH),
    Field(description="Lower-case letters and digits, with - _ between them; unique in the service"),
]
Description = Annotated[str, StringConstraints(max_length=500, pattern=TEXT_WITHOUT_NUL)]


class TeamCreation(RequestModel):
    name: Name
    code: TeamCode
    description: Description | None = None


class TeamChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    code: TeamCode = unchanged("")
    description: Description | None = unchanged(None)


class TeamView(ResponseModel):
    """`max_*` and `storage_quota_mb`: null is what the service's plans say."""

    id: str
    owner: str
    name: str
    code: str
    description: str | None
    max_members: int | None
    max_projects: int | None
    storage_quota_mb: int | None
    subscription_plan: Plan
    subscription_ends_on: str | None
    status: TeamStatus
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "name", "code", "description"),
    *("max_members", "max_projects", "storage_quota_mb", "subscription_ends_on"),
)


def view_of(row: Team) -> TeamView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return TeamView(
        **columns,
        subscription_plan=Plan(row.subscription_plan),
        status=TeamStatus(row.status),
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _complete(session: AsyncSession, row: Team) -> None:
    """A new team has its owner as a member."""
    if not inspect(row).persistent:
        session.add(TeamMember(team_id=row.id, principal=row.owner, role=TeamRole.OWNER.value))


async def _check_deletion(session: AsyncSession, row: Team) -> None:
    """Raises TeamHasProjects."""
    has_project = select(Project.id).where(Project.team_id == row.id, ~Project.is_deleted).limit(1)
    if await session.scalar(has_project):
        raise TeamHasProjects("the team has projects: delete them first")


TEAMS: Resource[Team, TeamView] = Resource(
    name="Team",
    title="team",
    path="/teams",
    table=Team,
    creation=TeamCreation,
    change=TeamChange,
    view_model=TeamView,
    view=view_of,
    taken={"uq_teams_code": "code"},
    filters=("status",),
    before_flush=_complete,
    before_delete=_check_deletion,
    access=BY_TEAM,
    errors=(TeamHasProjects,),
)
