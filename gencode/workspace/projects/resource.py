"""The resource of projects: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid, PlanLimitReached
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.plans.quotas import check_projects, megabytes
from gencode.workspace.projects.access import BY_PROJECT
from gencode.workspace.projects.table import (
    CODE_LENGTH,
    Project,
    ProjectStatus,
    ProjectType,
    Visibility,
)
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, TEXT_WITHOUT_NUL, RowId, unchanged

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
ProjectCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length=CODE_LENGTH),
    Field(description="Lower-case letters and digits, with - _ between them; unique in the team"),
]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=TEXT_WITHOUT_NUL)]
Part = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE)]
Technology = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
TechStack = Annotated[
    dict[Part, Technology],
    Field(max_length=50, description='By part, such as {"backend": "fastapi", "database": "postgresql"}'),
]


class ProjectCreation(RequestModel):
    """`team_id`: null is a project of one's own."""

    team_id: RowId | None = None
    name: Name
    code: ProjectCode
    description: Description | None = None
    tech_stack: TechStack = Field(default_factory=dict)
    project_type: ProjectType = Field(ProjectType.WEB, strict=False)
    visibility: Visibility = Field(Visibility.PRIVATE, strict=False)


class ProjectChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    code: ProjectCode = unchanged("")
    description: Description | None = unchanged(None)
    tech_stack: TechStack = unchanged({})
    project_type: ProjectType = unchanged(ProjectType.WEB, is_enum=True)
    visibility: Visibility = unchanged(Visibility.PRIVATE, is_enum=True)


class ProjectView(ResponseModel):
    """`storage_used_mb`: of its artifacts, rounded up."""

    id: str
    owner: str
    team_id: str | None
    name: str
    code: str
    description: str | None
    tech_stack: dict[str, str]
    project_type: ProjectType
    visibility: Visibility
    status: ProjectStatus
    storage_used_mb: int
    created_at: Moment
    updated_at: Moment


_COLUMNS = ("id", "owner", "team_id", "name", "code", "description", "tech_stack")


def view_of(row: Project) -> ProjectView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return ProjectView(
        **columns,
        project_type=ProjectType(row.project_type),
        visibility=Visibility(row.visibility),
        status=ProjectStatus(row.status),
        storage_used_mb=megabytes(row.storage_used_bytes),
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _check(session: AsyncSession, row: Project) -> None:
    """Raises Invalid."""
    if row.team_id is None and row.visibility == Visibility.TEAM:
        raise Invalid.of("visibility", "value_error", "must be private or public without a team")


async def _mark(session: AsyncSession, row: Project) -> None:
    row.status = ProjectStatus.DELETED.value


PROJECTS: Resource[Project, ProjectView] = Resource(
    name="Project",
    title="project",
    path="/projects",
    table=Project,
    creation=ProjectCreation,
    change=ProjectChange,
    view_model=ProjectView,
    view=view_of,
    taken={"uq_projects_team_code": "code", "uq_projects_owner_code": "code"},
    filters=("team_id", "status", "project_type", "visibility"),
    before_create=check_projects,
    before_flush=_check,
    before_delete=_mark,
    access=BY_PROJECT,
    errors=(PlanLimitReached,),
)
