"""The limits of plans: generations in a month, and the size of a team; over both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select, update

from gencode.domain.errors import Forbidden, Invalid, PlanLimitReached
from gencode.domain.principal import LOCAL, Principal, PrincipalKind
from gencode.engine.ports.store import TaskQuery
from gencode.storage.memory import MemoryStore
from gencode.workspace.builds.storage import BuildStorage
from gencode.workspace.builds.store import BuildStore
from gencode.workspace.errors import ProjectArchived
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.plans.generations import UNKNOWN_AFTER, DatabaseGenerationLimits
from gencode.workspace.plans.quotas import MEGABYTE, add_storage
from gencode.workspace.plans.rules import Plan, PlanRules
from gencode.workspace.plans.table import Generation
from gencode.workspace.projects.cloning import ProjectClone, clone_project
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.projects.stats import stats_of
from gencode.workspace.projects.table import Project
from gencode.workspace.tables import now
from gencode.workspace.teams.members import Invitee
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.tables import Team
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, new_user, workspace
from tests.unit.storage.samples import a_task
from tests.unit.workspace.test_teams import ADMIN, MEMBER, OUTSIDER, OWNER, VIEWER, make_team, members_of

RULES = PlanRules(generations={Plan.FREE: 2, Plan.TEAM: 5}, max_members=5, max_projects=2, storage_quota_mb=3)


class TaskIds:
    """A store that knows these tasks."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    async def find(self, query: TaskQuery) -> list[str]:
        return [one for one in self.ids if one == query.id]


def limits_of(opened: Workspace, *stored: str) -> DatabaseGenerationLimits:
    return DatabaseGenerationLimits(opened.database, opened.plans, TaskIds(*stored))  # type: ignore[arg-type]


def principal(actor: Actor) -> Principal:
    return Principal(id=actor.id, kind=PrincipalKind.USER)


async def make_user(opened: Workspace, name: str = "alice") -> Principal:
    user = await opened.accounts.create(new_user(name), ACTOR)
    return Principal(id=principal_id(user.id), kind=PrincipalKind.USER)


async def generate(limits: DatabaseGenerationLimits, who: Principal, task: str, **fields: Any) -> None:
    reservation = await limits.reservation(who, **fields)
    assert reservation
    await reservation.take(task)
    await reservation.confirm(task)


async def counts(opened: Workspace) -> Mapping[str, int]:
    counted = select(Generation.subject, func.count()).group_by(Generation.subject)
    async with opened.database.transaction() as session:
        found = (await session.execute(counted)).all()
    return {str(subject): int(count) for subject, count in found}


async def test_a_user_generates_as_often_as_the_plan_says_until_the_next_month(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        alice, limits = await make_user(opened), limits_of(opened)
        for task in ("1", "2"):
            await generate(limits, alice, task)
        with pytest.raises(PlanLimitReached, match=r"2 of 2 generations of your plan \(free\).*next month"):
            await limits.reservation(alice)
        user_id = alice.id.removeprefix("user:")
        await opened.accounts.change(user_id, {"subscription_level": "team"}, ACTOR)
        await generate(limits, alice, "3")
        past, future = (f"{now() + timedelta(days=days):%Y-%m-%d}" for days in (-2, 2))
        await opened.accounts.change(user_id, {"subscription_ends_on": past}, ACTOR)
        with pytest.raises(PlanLimitReached, match=r"3 of 2 generations of your plan \(free\)"):
            await limits.reservation(alice)
        await opened.accounts.change(user_id, {"subscription_ends_on": future}, ACTOR)
        assert await limits.reservation(alice)
        await opened.accounts.change(user_id, {"subscription_level": "free"}, ACTOR)
        async with opened.database.transaction() as session:
            await session.execute(update(Generation).values(month="2020-01"))
        await generate(limits, alice, "4")
        assert await limits.reservation(LOCAL) is None
        assert await limits.reservation(Principal(id="robot")) is None


async def test_parallel_submissions_do_not_pass_the_limit(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        alice, limits, outcomes = await make_user(opened), limits_of(opened), list[bool]()
        reservations = [await limits.reservation(alice) for _ in range(6)]

        async def take(number: int) -> None:
            reservation = reservations[number]
            assert reservation
            try:
                await reservation.take(str(number))
            except PlanLimitReached:
                outcomes.append(False)
            else:
                outcomes.append(True)

        async with anyio.create_task_group() as group:
            for number in range(6):
                group.start_soon(take, number)
        assert sorted(outcomes) == [False] * 4 + [True] * 2
        assert await counts(opened) == {alice.id: 2}


async def test_what_was_not_stored_is_not_counted(database_url: str) -> None:
    """The process may have ended before the task was stored, or after."""
    async with workspace(database_url, plans=RULES) as opened:
        alice = await make_user(opened)
        reservation = await limits_of(opened).reservation(alice)
        assert reservation
        await reservation.take("given back")
        await reservation.release("given back")
        for task in ("stored", "lost"):
            await reservation.take(task)
        with pytest.raises(PlanLimitReached):  # they may be under way
            await limits_of(opened, "stored").reservation(alice)
        async with opened.database.transaction() as session:
            await session.execute(update(Generation).values(created_at=now() - UNKNOWN_AFTER * 2))
        await generate(limits_of(opened, "stored"), alice, "another")
        with pytest.raises(PlanLimitReached):
            await limits_of(opened, "stored").reservation(alice)
        async with opened.database.transaction() as session:
            assert set(await session.scalars(select(Generation.id))) == {"stored", "another"}


async def test_in_a_project_of_a_team_its_plan_counts(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        team, _ = await make_team(opened)
        projects, limits = opened.resource(PROJECTS), limits_of(opened)
        body = {"name": "Shop", "code": "shop", "team_id": team.id, "visibility": "team"}
        project = await projects.create(body, ADMIN)
        for actor in (OWNER, MEMBER):
            await generate(limits, principal(actor), actor.id, project_id=project.id)
        with pytest.raises(PlanLimitReached, match="the team's plan"):
            await limits.reservation(principal(ADMIN), project.id)
        with pytest.raises(Forbidden):
            await limits.reservation(principal(VIEWER), project.id)
        with pytest.raises(Invalid, match="project_id"):
            await limits.reservation(principal(OUTSIDER), project.id)
        assert await counts(opened) == {f"team:{team.id}": 2}
        async with opened.database.transaction() as session:
            stats = await stats_of(session, project)
        assert (stats.generation_count, stats.generation_count_this_month, stats.member_count) == (2, 2, 4)
        await projects.change(project.id, {"status": "archived"}, ADMIN, None)
        with pytest.raises(ProjectArchived):
            await limits.reservation(principal(ADMIN), project.id)


async def test_without_limits_generations_are_counted_all_the_same(database_url: str) -> None:
    async with workspace(database_url) as opened:
        alice = await make_user(opened)
        for number in range(12):
            await generate(limits_of(opened), alice, str(number))
        assert await counts(opened) == {alice.id: 12}


async def test_a_team_has_as_many_members_and_projects_as_its_plan_says(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        team, known = await make_team(opened)
        members, projects = members_of(opened), opened.resource(PROJECTS)

        async def join(number: int) -> None:
            await members.add(team.id, Invitee(api_key=f"guest-{number}"), TeamRole.VIEWER, OWNER)

        await join(1)
        with pytest.raises(PlanLimitReached, match="5 of 5 members: remove one, or ask"):
            await join(2)
        await members.remove(team.id, known["viewer"].id, OWNER)
        await join(2)
        for code in ("a", "b"):
            await projects.create({"name": code, "code": code, "team_id": team.id}, ADMIN)
        with pytest.raises(PlanLimitReached, match="2 of 2 projects"):
            await projects.create({"name": "c", "code": "c", "team_id": team.id}, ADMIN)
        await projects.create({"name": "c", "code": "c", "team_id": None}, ADMIN)
        async with opened.database.transaction() as session:
            (await session.get_one(Team, team.id)).max_projects = 3
        await projects.create({"name": "c", "code": "c", "team_id": team.id}, ADMIN)


async def test_parallel_joins_do_not_pass_the_limit(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        team, _ = await make_team(opened)
        refused: list[str] = []

        async def join(name: str) -> None:
            try:
                await members_of(opened).add(team.id, Invitee(api_key=name), TeamRole.VIEWER, OWNER)
            except PlanLimitReached:
                refused.append(name)

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(join, f"guest-{number}")
        assert len(refused) == 3


async def test_the_artifacts_of_a_team_are_limited(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        team, _ = await make_team(opened)
        projects = opened.resource(PROJECTS)
        made = [
            await projects.create({"name": code, "code": code, "team_id": team_id}, ADMIN)
            for code, team_id in (("a", team.id), ("b", team.id), ("own", None))
        ]

        async def add(project: Project, size: int) -> None:
            async with opened.database.transaction() as session:
                await add_storage(session, project.id, size, opened.plans)

        await add(made[0], 2 * MEGABYTE)
        with pytest.raises(PlanLimitReached, match="uses 2 of 3 MB, 2 MB more are needed"):
            await add(made[1], 2 * MEGABYTE)
        await add(made[0], -MEGABYTE)
        await add(made[1], 2 * MEGABYTE)
        await add(made[2], 10 * MEGABYTE)
        assert (await projects.get(made[0].id, ADMIN.id)).storage_used_bytes == MEGABYTE


async def test_a_clone_is_in_the_team_of_who_may_create_projects_there(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        body = {"name": "Shop", "code": "shop", "team_id": team.id, "visibility": "public"}
        source = await opened.resource(PROJECTS).create({**body, "tech_stack": {"a": "b"}}, ADMIN)

        async def clone(actor: Actor, **fields: Any) -> tuple[str | None, str, str]:
            given = ProjectClone.model_validate({"new_name": "Copy", **fields})
            made = await clone_project(opened, source.id, given, actor)
            assert (made.owner, made.name, made.tech_stack) == (actor.id, "Copy", {"a": "b"})
            return made.team_id, made.code, made.visibility

        assert await clone(ADMIN) == (team.id, "shop-copy", "public")
        assert await clone(OWNER) == (team.id, "shop-copy-2", "public")
        assert await clone(ADMIN, team_id=None, code="mine") == (None, "mine", "private")
        assert await clone(VIEWER) == (None, "shop-copy", "private")
        assert await clone(OUTSIDER) == (None, "shop-copy", "private")
        with pytest.raises(Forbidden):
            await clone(MEMBER, team_id=team.id)
        with pytest.raises(Invalid, match="team_id"):
            await clone(OUTSIDER, team_id=team.id)


async def test_the_archives_of_builds_are_counted_once_and_given_back(database_url: str) -> None:
    async with workspace(database_url, plans=RULES) as opened:
        team, _ = await make_team(opened)
        projects, store = opened.resource(PROJECTS), MemoryStore()
        project = await projects.create({"name": "A", "code": "a", "team_id": team.id}, ADMIN)
        builds, storage = BuildStore(opened.database), BuildStorage(opened.database, RULES, store)
        tasks = [a_task(), a_task()]
        for task in tasks:
            await builds.add(task.id, "blueprint", ADMIN.id)

        async def used() -> int:
            return (await projects.get(project.id, ADMIN.id)).storage_used_bytes

        await store.create(tasks[0], {}, [])
        for _ in range(2):  # a stage that is repeated
            await storage.count(tasks[0].id, project.id, 2 * MEGABYTE)
        assert await used() == 2 * MEGABYTE
        with pytest.raises(PlanLimitReached, match="uses 2 of 3 MB, 2 MB more are needed"):
            await storage.count(tasks[1].id, project.id, 2 * MEGABYTE)
        await storage.check(project.id)
        await storage.count(tasks[0].id, project.id, 3 * MEGABYTE)
        with pytest.raises(PlanLimitReached, match="uses 3 of 3 MB for artifacts"):
            await storage.check(project.id)
        opened_again = BuildStorage(opened.database, RULES, MemoryStore())  # the task was deleted
        await opened_again.check(project.id)
        assert await used() == 0
        await storage.count(tasks[1].id, None, 10 * MEGABYTE)  # of no project
        assert await used() == 0
