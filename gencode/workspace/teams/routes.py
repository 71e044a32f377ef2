"""Members of teams, and the transfer of a team, beside the operations of every resource."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound, PlanLimitReached
from gencode.http.base_models import UUID_SCHEMA
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Trait, operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.workspace.errors import AlreadyTaken, TeamNeedsOwner
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, actor_of, id_in_path
from gencode.workspace.resources.cursors import cursor_after, read_cursor
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.teams.member_views import (
    MemberCreation,
    MemberPage,
    MemberRole,
    MemberView,
    Transfer,
)
from gencode.workspace.teams.members import TeamMembers
from gencode.workspace.teams.resource import TEAMS, TeamView, view_of
from gencode.workspace.teams.tables import TeamMember
from gencode.workspace.workspace import Workspace

ONE_MEMBER = Trait(path_schemas={"id": UUID_SCHEMA, "member_id": UUID_SCHEMA}, errors=(NotFound,))
CREATION = JsonBody(model=MemberCreation)
ROLE = JsonBody(model=MemberRole)
TRANSFER = JsonBody(model=Transfer)
PAGE = JsonResponseSpec(model=MemberPage, description="Members in the order in which they joined")
ADDED = JsonResponseSpec(status=201, model=MemberView, description="The new member")
MEMBER = JsonResponseSpec(model=MemberView, description="The member")
LEFT = ResponseSpec(status=204, description="It is no member any more")
TEAM = JsonResponseSpec(model=TeamView, description="The team with its new owner")


@operation(
    "listTeamMembers",
    "GET /teams/{id:uuid}/members",
    "List the members of a team",
    traits=(ONE,),
    parameters=(LIMIT, CURSOR),
    responses=(PAGE,),
)
async def list_members(request: Request) -> Response:
    limit, cursor = LIMIT.read(request), CURSOR.read(request)
    after = read_cursor(cursor, datetime) if cursor else None
    members = _members(request)
    found = await members.page(id_in_path(request), get_principal(request).id, limit, after)
    shown, names = found[:limit], await members.names(found[:limit])
    following = cursor_after(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    views = [MemberView.of(member, names.get(member.principal)) for member in shown]
    return PAGE.make(MemberPage(items=views, next_cursor=following))


@operation(
    "addTeamMember",
    "POST /teams/{id:uuid}/members",
    "Add a member to a team",
    traits=(ONE,),
    body=CREATION,
    responses=(ADDED,),
    errors=(AlreadyTaken, PlanLimitReached),
)
async def add_member(request: Request) -> Response:
    given = await CREATION.read(request)
    team_id, invitee, role = id_in_path(request), given.invitee(), given.allowed()
    member = await _members(request).add(team_id, invitee, role, actor_of(request))
    return ADDED.make(await _view(request, member))


@operation(
    "changeTeamMember",
    "PATCH /teams/{id:uuid}/members/{member_id:uuid}",
    "Give a member of a team another role",
    traits=(ONE_MEMBER,),
    body=ROLE,
    responses=(MEMBER,),
    errors=(TeamNeedsOwner,),
)
async def change_member(request: Request) -> Response:
    role = (await ROLE.read(request)).allowed()
    ids = id_in_path(request), str(request.path_params["member_id"])
    member = await _members(request).change_role(*ids, role, actor_of(request))
    return MEMBER.make(await _view(request, member))


@operation(
    "removeTeamMember",
    "DELETE /teams/{id:uuid}/members/{member_id:uuid}",
    "Remove a member from a team; everybody may remove themselves",
    traits=(ONE_MEMBER,),
    responses=(LEFT,),
    errors=(TeamNeedsOwner,),
)
async def remove_member(request: Request) -> Response:
    ids = id_in_path(request), str(request.path_params["member_id"])
    await _members(request).remove(*ids, actor_of(request))
    return Response(status_code=LEFT.status)


@operation(
    "leaveTeam",
    "POST /teams/{id:uuid}/leave",
    "Leave a team",
    traits=(ONE,),
    responses=(LEFT,),
    errors=(TeamNeedsOwner,),
)
async def leave(request: Request) -> Response:
    await _members(request).leave(id_in_path(request), actor_of(request))
    return Response(status_code=LEFT.status)


@operation(
    "transferTeam",
    "POST /teams/{id:uuid}/transfer",
    "Make another member the owner of a team; the old one becomes an admin",
    traits=(ONE,),
    body=TRANSFER,
    responses=(TEAM,),
)
async def transfer(request: Request) -> Response:
    member_id = (await TRANSFER.read(request)).member_id
    team = await _members(request).transfer(id_in_path(request), member_id, actor_of(request))
    return TEAM.make(view_of(team))


def _members(request: Request) -> TeamMembers:
    workspace = get_extension(request, Workspace)
    return TeamMembers(workspace.database, workspace.audit, workspace.plans)


async def _view(request: Request, member: TeamMember) -> MemberView:
    names = await _members(request).names([member])
    return MemberView.of(member, names.get(member.principal))


TEAM_OPERATIONS = (
    *operations_of(TEAMS),
    list_members,
    add_member,
    change_member,
    remove_member,
    leave,
    transfer,
)
