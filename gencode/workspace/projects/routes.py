"""The archive and the list of a team's projects, beside the operations of every resource."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Operation, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.errors import VersionChanged
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.projects.resource import PROJECTS, ProjectView, view_of
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
from gencode.workspace.workspace import Workspace

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


async def _require_team(request: Request) -> None:
    teams = get_extension(request, Workspace).resource(TEAMS)
    await teams.get(id_in_path(request), get_principal(request).id)


OF_A_TEAM = ListWithin(
    name="listTeamProjects",
    path="/teams/{id:uuid}/projects",
    summary="List the projects of a team",
    column="team_id",
    require=_require_team,
)
PROJECT_OPERATIONS = (
    *operations_of(PROJECTS),
    archive,
    unarchive,
    list_operation(PROJECTS, OF_A_TEAM),
)
