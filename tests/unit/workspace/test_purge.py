"""What was deleted is removed for good after a while, with what belongs to it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from sqlalchemy import func, select, update

import gencode.workspace.routes  # noqa: F401 - all tables are known
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.builds.removal import project_scope
from gencode.workspace.builds.store import BuildStore, KeptHole
from gencode.workspace.builds.tables import BlueprintBuild, WrittenHole
from gencode.workspace.conversations.tables import ChatMessage, Conversation
from gencode.workspace.git_credentials.table import GitCredential
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.identity.sessions import Client
from gencode.workspace.identity.tables import User, UserSession
from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeRemoval
from gencode.workspace.model_configs.resource import MODEL_CONFIGS, ModelConfigCreation
from gencode.workspace.model_configs.table import ModelConfig
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.projects.table import Project
from gencode.workspace.prompt_templates.resource import PromptTemplate
from gencode.workspace.purge import DEPENDENTS, Purge, soft_deleted_tables
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.requirement_documents.table import RequirementDocument
from gencode.workspace.resources.store import PageQuery
from gencode.workspace.reviews.store import ReviewStore
from gencode.workspace.reviews.tables import ReviewedHunk, ReviewFinding, ReviewSubject
from gencode.workspace.tables import Base, now
from gencode.workspace.teams.members import Invitee, TeamMembers
from gencode.workspace.teams.resource import TEAMS
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.tables import Team, TeamMember
from gencode.workspace.uploads.table import Upload
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, new_user, workspace
from tests.unit.workspace.test_review_store import record as a_finding

ALICE = Actor(id="user:alice")
KEYS = (b"e" * 32,)
LATER = timedelta(days=31)


async def count(opened: Workspace, table: Any) -> int:
    async with opened.database.transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def config(opened: Workspace, actor: Actor = ALICE) -> ModelConfig:
    body = json.dumps({"name": "mine", "provider": "deepseek", "model": "chat", "api_key": "sk-0123"})
    values = ModelConfigCreation.model_validate_json(body).model_dump(mode="json")
    return await opened.resource(MODEL_CONFIGS).create(values, actor)


async def test_deleted_rows_are_removed_after_the_time(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=KEYS) as opened:
        row, _ = await config(opened), await config(opened)
        await opened.resource(MODEL_CONFIGS).delete(row.id, ALICE, None)
        purge = Purge(opened.database, 30)
        assert await purge.remove(now() + timedelta(days=29)) == 0
        assert await Purge(opened.database, 0).remove(now() + LATER) == 0
        assert await purge.remove(now() + LATER) == 1
        assert await count(opened, ModelConfig) == 1


async def test_what_belongs_to_a_row_goes_with_it(database_url: str) -> None:
    async with workspace(database_url) as opened:
        async with opened.database.transaction() as session:
            for name, is_deleted in (("a", True), ("b", False)):
                session.add(Conversation(id=name, owner="x", name=name, is_deleted=is_deleted))
                await session.flush()
                session.add(
                    ChatMessage(conversation_id=name, owner="x", role="user", status="complete", content="x")
                )
                file = {"media_type": "text/plain", "size": 1, "sha256": "0" * 64, "data": b"x"}
                session.add(Upload(id=name, owner="x", name="a.txt", **file))
                document = {"owner": "x", "name": name, "upload_id": name, "is_deleted": is_deleted}
                session.add(RequirementDocument(**document, source="upload", status="completed"))
        assert await Purge(opened.database, 30).remove(now() + LATER) == 2
        counts = [await count(opened, table) for table in (Conversation, ChatMessage, Upload)]
        assert counts == [1, 1, 1]


async def test_a_knowledge_base_waits_until_its_index_is_dropped(database_url: str) -> None:
    async with workspace(database_url) as opened:
        async with opened.database.transaction() as session:
            session.add(KnowledgeBase(id="k", owner="x", name="k", is_deleted=True))
            session.add(KnowledgeRemoval(id="r", base_id="k"))
        purge = Purge(opened.database, 30)
        assert await purge.remove(now() + LATER) == 0
        async with opened.database.transaction() as session:
            await session.delete(await session.get_one(KnowledgeRemoval, "r"))
        assert await purge.remove(now() + LATER) == 1


async def test_what_a_removed_user_owned_is_deleted_and_then_removed(database_url: str) -> None:
    """The keys above all: nobody can reach, or revoke, them any more."""
    async with workspace(database_url, encryption_keys=KEYS) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        await opened.sessions.open(user, Client())
        await config(opened, Actor(id=principal_id(user.id)))
        await config(opened)
        await opened.accounts.delete(user.id, ACTOR)
        async with opened.database.transaction() as session:
            await session.execute(update(User).values(updated_at=now() - LATER))
        purge = Purge(opened.database, 30)
        assert await purge.remove(now()) == 1
        assert [await count(opened, table) for table in (User, UserSession, ModelConfig)] == [0, 0, 2]
        assert await purge.remove(now() + LATER) == 1
        async with opened.database.transaction() as session:
            (left,) = (await session.scalars(select(ModelConfig))).all()
        assert left.owner == ALICE.id


async def test_findings_of_reviews_go_with_their_repository_and_their_owner(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store = ReviewStore(opened.database, opened.audit)
        user = await opened.accounts.create(new_user(), ACTOR)
        gone, kept = ("00000000-0000-4000-8000-00000000000" + digit for digit in "12")
        subjects = (f"{gone}/main", f"{gone}#7", f"{kept}/main", f"my own {gone}/main")
        for owner in (ALICE.id, principal_id(user.id)):
            for subject in subjects:
                one = a_finding("1", id=str(uuid5(UUID(gone), owner + subject)))
                await store.record(owner, subject, "task", b"lines", [one])
            await store.remember_hunks(owner, {"key": "[]"})
        async with opened.database.transaction() as session:
            for row_id in (gone, kept):
                url = f"https://git.example.org/a/{row_id}"
                row = GitRepository(id=row_id, owner=ALICE.id, name=row_id, repository_url=url)
                row.is_deleted = row_id == gone
                session.add(row)
        purge = Purge(opened.database, 30)
        assert await purge.remove(now() + LATER) == 1
        tables = (ReviewFinding, ReviewSubject, ReviewedHunk)
        assert [await count(opened, table) for table in tables] == [4, 4, 2]
        await opened.accounts.delete(user.id, ACTOR)
        assert await purge.remove(now() + LATER) == 1
        assert [await count(opened, table) for table in tables] == [2, 2, 1]


async def test_what_belongs_to_a_team_stays_when_its_creator_is_removed(database_url: str) -> None:
    async with workspace(database_url) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        creator, members = (
            Actor(id=principal_id(user.id)),
            TeamMembers(opened.database, opened.audit, PlanRules()),
        )
        team = await opened.resource(TEAMS).create({"name": "Core", "code": "core"}, ALICE)
        await members.add(team.id, Invitee(user_id=user.id), TeamRole.ADMIN, ALICE)
        projects = opened.resource(PROJECTS)
        shared = await projects.create({"name": "Shop", "code": "shop", "team_id": team.id}, creator)
        await projects.create({"name": "Own", "code": "own", "team_id": None}, creator)
        await opened.accounts.delete(user.id, ACTOR)
        async with opened.database.transaction() as session:
            await session.execute(update(User).values(updated_at=now() - LATER))
        purge = Purge(opened.database, 30)
        assert await purge.remove(now()) == 1
        assert (await projects.get(shared.id, ALICE.id)).owner == creator.id
        assert [member.principal for member in await members.page(team.id, ALICE.id, 5, None)] == [ALICE.id]
        assert await purge.remove(now() + LATER) == 1
        assert await count(opened, Project) == 1


async def test_what_is_in_a_project_is_deleted_with_it_and_then_removed(database_url: str) -> None:
    async with workspace(database_url) as opened:
        values = {"name": "Web", "code": "web"}
        project = await opened.resource(PROJECTS).create(values, ALICE)
        blueprint = {"name": "Shop", "version_tag": "1.0.0", "spec": {}}
        blueprints = opened.resource(BLUEPRINTS)
        await blueprints.create({**blueprint, "project_id": project.id}, ALICE)
        own = await blueprints.create(blueprint, ALICE)
        await opened.resource(PROJECTS).delete(project.id, ALICE, None)
        assert [row.id for row in await blueprints.page(PageQuery(limit=5), ALICE.id)] == [own.id]
        builds, hole = BuildStore(opened.database), {"d": KeptHole(body="return {}", model="m")}
        await builds.keep_holes(project_scope(project.id), hole)
        await builds.keep_holes(ALICE.id, hole)
        await builds.add("task of its own", own.id, ALICE.id)
        purge = Purge(opened.database, 30)
        await purge.remove(now() + LATER)
        await purge.remove(now() + 2 * LATER)
        assert (await count(opened, Project), await count(opened, BlueprintRow)) == (0, 1)
        assert (await count(opened, WrittenHole), await count(opened, BlueprintBuild)) == (1, 1)
        await blueprints.delete(own.id, ALICE, None)
        await purge.remove(now() + 3 * LATER)
        assert await count(opened, BlueprintBuild) == 0


async def test_the_members_of_a_team_go_with_it(database_url: str) -> None:
    async with workspace(database_url) as opened:
        teams = opened.resource(TEAMS)
        for code in ("a", "b"):
            await teams.create({"name": code, "code": code}, ALICE)
        await teams.delete((await teams.page(PageQuery(limit=1), ALICE.id))[0].id, ALICE, None)
        assert await Purge(opened.database, 30).remove(now() + LATER) == 1
        assert [await count(opened, table) for table in (Team, TeamMember)] == [1, 1]


async def test_expired_sessions_are_swept(database_url: str) -> None:
    async with workspace(database_url, refresh_days=1) as opened:
        user = await opened.accounts.create(new_user(), ACTOR)
        await opened.sessions.open(user, Client())
        await Purge(opened.database, 0).remove(now())
        assert await count(opened, UserSession) == 1
        await Purge(opened.database, 0).remove(now() + timedelta(days=2))
        assert await count(opened, UserSession) == 0


async def test_many_rows_are_removed_in_batches(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gencode.workspace.purge.BATCH", 2)
    async with workspace(database_url, encryption_keys=KEYS) as opened:
        for _ in range(5):
            await config(opened)
        async with opened.database.transaction() as session:
            await session.execute(update(ModelConfig).values(is_deleted=True))
        assert await Purge(opened.database, 30).remove(now() + LATER) == 5


def test_every_reference_to_a_row_that_can_be_removed_is_known() -> None:
    """A new table that refers to one would otherwise keep its rows for ever."""
    tables = {one.__tablename__: one for one in soft_deleted_tables()}
    assert {"users", GitCredential.__tablename__, PromptTemplate.__tablename__} <= tables.keys()
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            target = key.column.table.name
            if target in tables and key.ondelete != "CASCADE":
                known = {one.table.__tablename__ for one in DEPENDENTS.get(tables[target], ())}
                assert table.name in known
