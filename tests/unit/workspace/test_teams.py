"""Teams, their members and the roles, over both databases."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from sqlalchemy import select

from gencode.domain.errors import Forbidden, Invalid, NotFound
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.errors import AlreadyTaken, TeamHasProjects, TeamNeedsOwner
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.resources.store import PageQuery
from gencode.workspace.teams.members import Invitee, TeamMembers
from gencode.workspace.teams.resource import TEAMS
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.succession import TeamSuccession
from gencode.workspace.teams.tables import Team, TeamMember
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, new_user, workspace

OWNER, ADMIN, MEMBER, VIEWER = (Actor(id=name) for name in ("owner", "admin", "member", "viewer"))
OUTSIDER = Actor(id="outsider")


def members_of(opened: Workspace) -> TeamMembers:
    return TeamMembers(opened.database, opened.audit, opened.plans)


async def make_team(opened: Workspace, code: str = "core") -> tuple[Team, dict[str, TeamMember]]:
    """A team with one member of each role, by name."""
    team = await opened.resource(TEAMS).create({"name": "Core", "code": code}, OWNER)
    for actor in (ADMIN, MEMBER, VIEWER):
        await members_of(opened).add(team.id, Invitee(api_key=actor.id), TeamRole(actor.id), OWNER)
    page = await members_of(opened).page(team.id, OWNER.id, 10, None)
    return team, {member.principal: member for member in page}


async def roles(opened: Workspace, team_id: str) -> dict[str, str]:
    async with opened.database.transaction() as session:
        found = await session.scalars(select(TeamMember).where(TeamMember.team_id == team_id))
        return {member.principal: member.role for member in found}


async def test_a_team_is_there_for_its_members_only(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        store = opened.resource(TEAMS)
        for actor in (OWNER, ADMIN, MEMBER, VIEWER):
            assert (await store.get(team.id, actor.id)).code == "core"
            assert [row.id for row in await store.page(PageQuery(limit=5), actor.id)] == [team.id]
        assert await store.page(PageQuery(limit=5), OUTSIDER.id) == []
        refused: list[Any] = [
            store.get(team.id, OUTSIDER.id),
            store.change(team.id, {"name": "x"}, OUTSIDER, None),
            members_of(opened).page(team.id, OUTSIDER.id, 5, None),
            members_of(opened).leave(team.id, OUTSIDER),
        ]
        for call in refused:
            with pytest.raises(NotFound):
                await call
        with pytest.raises(AlreadyTaken, match="code"):
            await store.create({"name": "Another", "code": "core"}, OUTSIDER)


async def test_members_are_managed_by_admins_and_leave_by_themselves(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, known = await make_team(opened)
        members, guest = members_of(opened), Invitee(api_key="guest")
        for actor in (MEMBER, VIEWER):
            with pytest.raises(Forbidden, match=f"your role in the team is {actor.id}"):
                await members.add(team.id, guest, TeamRole.VIEWER, actor)
            with pytest.raises(Forbidden):
                await members.remove(team.id, known["admin"].id, actor)
        await members.add(team.id, guest, TeamRole.VIEWER, ADMIN)
        with pytest.raises(AlreadyTaken):
            await members.add(team.id, guest, TeamRole.ADMIN, ADMIN)
        await members.change_role(team.id, known["viewer"].id, TeamRole.MEMBER, ADMIN)
        await members.remove(team.id, known["member"].id, MEMBER)
        await members.leave(team.id, ADMIN)
        assert await roles(opened, team.id) == {"owner": "owner", "viewer": "member", "guest": "viewer"}
        with pytest.raises(NotFound):
            await members.page(team.id, ADMIN.id, 5, None)
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.position))).all()
        told = [(entry.actor, entry.action, entry.before or entry.after) for entry in entries[-2:]]
        assert told == [
            ("member", "TeamMember.removed", {"member": "member", "role": "member"}),
            ("admin", "TeamMember.removed", {"member": "admin", "role": "admin"}),
        ]


async def test_a_member_of_another_team_is_not_found(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        _, others = await make_team(opened, "other")
        for call in (
            members_of(opened).remove(team.id, others["member"].id, OWNER),
            members_of(opened).change_role(team.id, others["member"].id, TeamRole.ADMIN, OWNER),
            members_of(opened).transfer(team.id, others["member"].id, OWNER),
        ):
            with pytest.raises(NotFound):
                await call


async def test_a_team_always_has_one_owner(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, known = await make_team(opened)
        members = members_of(opened)
        for call in (
            members.leave(team.id, OWNER),
            members.remove(team.id, known["owner"].id, ADMIN),
            members.change_role(team.id, known["owner"].id, TeamRole.MEMBER, ADMIN),
        ):
            with pytest.raises(TeamNeedsOwner):
                await call
        with pytest.raises(Forbidden):
            await members.transfer(team.id, known["admin"].id, ADMIN)

        outcomes: list[str] = []

        async def transfer(name: str) -> None:
            try:
                outcomes.append((await members.transfer(team.id, known[name].id, OWNER)).owner)
            except Forbidden:
                outcomes.append("refused")

        async with anyio.create_task_group() as group:
            for name in ("admin", "member"):
                group.start_soon(transfer, name)
        (new,) = set(outcomes) - {"refused"}
        found = await roles(opened, team.id)
        assert [name for name, role in found.items() if role == "owner"] == [new]
        assert (await opened.resource(TEAMS).get(team.id, VIEWER.id)).owner == new
        await members.leave(team.id, OWNER)


async def test_accounts_are_invited_by_id_or_name_and_unknown_ones_are_refused(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        alice, bob = [await opened.accounts.create(new_user(name), ACTOR) for name in ("alice", "bob")]
        for invitee in (Invitee(user_id=alice.id), Invitee(username="BOB@example.com")):
            await members_of(opened).add(team.id, invitee, TeamRole.MEMBER, OWNER)
        assert {principal_id(alice.id), principal_id(bob.id)} <= set(await roles(opened, team.id))
        for invitee, field in ((Invitee(user_id=team.id), "user_id"), (Invitee(username="eve"), "username")):
            with pytest.raises(Invalid, match=field):
                await members_of(opened).add(team.id, invitee, TeamRole.MEMBER, OWNER)


async def test_a_team_with_projects_is_not_deleted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        teams, projects = opened.resource(TEAMS), opened.resource(PROJECTS)
        project = await projects.create({"name": "Shop", "code": "shop", "team_id": team.id}, ADMIN)
        with pytest.raises(Forbidden):
            await teams.delete(team.id, ADMIN, None)
        with pytest.raises(TeamHasProjects):
            await teams.delete(team.id, OWNER, None)
        await projects.delete(project.id, OWNER, None)
        await teams.delete(team.id, OWNER, None)
        with pytest.raises(NotFound):
            await teams.get(team.id, OWNER.id)
        with pytest.raises(Invalid, match="team_id"):
            await projects.create({"name": "Shop", "code": "shop", "team_id": team.id}, OWNER)


async def test_a_disabled_team_is_only_read(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, known = await make_team(opened)
        async with opened.database.transaction() as session:
            (await session.get_one(Team, team.id)).status = "disabled"
        assert await opened.resource(TEAMS).get(team.id, OWNER.id)
        for call in (
            opened.resource(TEAMS).change(team.id, {"name": "x"}, OWNER, None),
            members_of(opened).remove(team.id, known["viewer"].id, OWNER),
        ):
            with pytest.raises(Forbidden, match="disabled"):
                await call
        await members_of(opened).leave(team.id, VIEWER)


async def test_a_team_whose_owner_was_deleted_gets_the_next_one(database_url: str) -> None:
    async with workspace(database_url) as opened:
        users = [await opened.accounts.create(new_user(name), ACTOR) for name in ("a", "b", "c")]
        actors = [Actor(id=principal_id(user.id)) for user in users]
        teams, succession = opened.resource(TEAMS), TeamSuccession(opened.database, opened.audit)
        shared = await teams.create({"name": "Shared", "code": "shared"}, actors[0])
        lonely = await teams.create({"name": "Lonely", "code": "lonely"}, actors[0])
        for user, role in ((users[1], TeamRole.VIEWER), (users[2], TeamRole.MEMBER)):
            await members_of(opened).add(shared.id, Invitee(user_id=user.id), role, actors[0])
        assert await succession.settle() == 0
        await opened.accounts.delete(users[0].id, ACTOR)
        assert (await succession.settle(), await succession.settle()) == (2, 0)
        assert (await teams.get(shared.id, actors[1].id)).owner == actors[2].id
        assert (await roles(opened, shared.id))[actors[0].id] == "admin"
        with pytest.raises(NotFound):
            await teams.get(lonely.id, actors[0].id)
        assert (await opened.audit.verify(opened.database)).broken is None
