"""The archive and the list of a team's projects, beside the operations of every resource."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import PlanLimitReached
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Operation, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.errors import AlreadyTaken, VersionChanged
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.projects.access import require_project
from gencode.workspace.projects.cloning import ProjectClone, clone_project
from gencode.workspace.projects.resource import PROJECTS, ProjectView, view_of
from gencode.workspace.projects.stats import ProjectStats, stats_of
from gencode.workspace.projects.table import ProjectStatus
from gencode.workspace.resources.routes import (
    ETAG,
    IF_MATCH,
    ListWithin,
    etag,
    list_operation,
    operations_of,
    read_version,
)
from gencode.workspace.teams.resource import TEAMS
from gencode.workspace.teams.roles import TEAM_ROLES
from gencode.workspace.workspace import Workspace

CLONE = JsonBody(model=ProjectClone)
CLONED = JsonResponseSpec(status=201, model=ProjectView, description="The new project", headers=(ETAG,))
STATS = JsonResponseSpec(model=ProjectStats, description="What is in it, and how it has been used")
PROJECT = JsonResponseSpec(model=ProjectView, description="The project", headers=(ETAG,))


def _set_status(name: str, verb: str, summary: str, status: ProjectStatus) -> Operation:
    @operation(
        name,
        f"POST /projects/{{id:uuid}}/{verb}",
        summary,
        traits=(ONE,),
        parameters=(IF_MATCH,),
        responses=(PROJECT,),
        errors=(VersionChanged,),
    )
    async def set_status(request: Request) -> Response:
        version = read_version(IF_MATCH.read(request))
        store = get_extension(request, Workspace).resource(PROJECTS)
        change = {"status": status.value}
        row = await store.change(id_in_path(request), change, actor_of(request), version)
        return PROJECT.make(view_of(row), {"ETag": etag(row.version)})

    return set_status


archive = _set_status(
    "archiveProject", "archive", "Archive a project: it is kept, and only read", ProjectStatus.ARCHIVED
)
unarchive = _set_status(
    "unarchiveProject", "unarchive", "Take a project out of the archive", ProjectStatus.ACTIVE
)


@operation(
    "cloneProject",
    "POST /projects/{id:uuid}/clone",
    "Clone a project, with what belongs to it",
    traits=(ONE,),
    body=CLONE,
    responses=(CLONED,),
    errors=(AlreadyTaken, PlanLimitReached),
)
async def clone(request: Request) -> Response:
    given = await CLONE.read(request)
    workspace, actor = get_extension(request, Workspace), actor_of(request)
    row = await clone_project(workspace, id_in_path(request), given, actor)
    return CLONED.make(view_of(row), {"ETag": etag(row.version)})


@operation(
    "getProjectStats",
    "GET /projects/{id:uuid}/stats",
    "Show what is in a project, and how it has been used",
    traits=(ONE,),
    responses=(STATS,),
)
async def get_stats(request: Request) -> Response:
    project_id, principal = id_in_path(request), get_principal(request).id
    async with get_extension(request, Workspace).database.transaction() as session:
        least = TEAM_ROLES["getProjectStats"]
        project = await require_project(session, project_id, principal, least)
        stats = await stats_of(session, project)
    return STATS.make(stats)


OF_A_TEAM = ListWithin(
    name="listTeamProjects",
    path="/teams/{id:uuid}/projects",
    summary="List the projects of a team",
    column="team_id",
    parent=TEAMS,
)
PROJECT_OPERATIONS = (
    *operations_of(PROJECTS),
    archive,
    unarchive,
    clone,
    get_stats,
    list_operation(PROJECTS, OF_A_TEAM),
)
