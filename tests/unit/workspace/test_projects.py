"""Projects, and the ownership of what belongs to them, as a table of roles; over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from gencode.domain.errors import Forbidden, GencodeError, Invalid, NotFound
from gencode.http.base_models import RequestModel, ResponseModel
from gencode.workspace.errors import AlreadyTaken, ProjectArchived
from gencode.workspace.identity.actor import Actor
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.store import PageQuery
from gencode.workspace.tables import Base, Row, SoftDeleted
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace
from tests.unit.workspace.test_teams import ADMIN, MEMBER, OUTSIDER, OWNER, VIEWER, make_team, members_of

EVERYBODY = (OWNER, ADMIN, MEMBER, VIEWER, OUTSIDER)


class NoteBase(DeclarativeBase):
    type_annotation_map = Base.type_annotation_map


class Note(Row, SoftDeleted, NoteBase):
    """As a ProjectRow, outside of the tables that migrations know."""

    __tablename__ = "notes"

    owner: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)
    project_id: Mapped[str | None] = mapped_column(String(36))


NOTES: Any = Resource(
    name="Note",
    title="note",
    path="/notes",
    table=Note,  # type: ignore[type-var]
    creation=RequestModel,
    change=RequestModel,
    view_model=ResponseModel,
    view=lambda row: ResponseModel(),
    filters=("project_id",),
    access=IN_PROJECT,
)


@asynccontextmanager
async def with_notes(url: str) -> AsyncIterator[Workspace]:
    async with workspace(url) as opened:
        async with opened.database.transaction() as session:
            connection = await session.connection()
            await connection.run_sync(NoteBase.metadata.create_all)
        yield opened


async def outcome(call: Awaitable[Any]) -> str:
    """yes, or the error."""
    try:
        await call
    except GencodeError as error:
        return type(error).__name__
    return "yes"


async def outcomes(act: Callable[[Actor], Awaitable[Any]]) -> list[str]:
    """Of each role in order."""
    return [await outcome(act(actor)) for actor in EVERYBODY]


def body(team_id: str | None, **fields: Any) -> dict[str, Any]:
    return {"name": "Shop", "code": "shop", "team_id": team_id, **fields}


async def test_who_reads_and_changes_a_project_of_a_team(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        store, yes = opened.resource(PROJECTS), "yes"
        rights = {
            "private": [yes, yes, "NotFound", "NotFound", "NotFound"],
            "team": [yes, yes, yes, yes, "NotFound"],
            "public": [yes, yes, yes, yes, yes],
        }
        for visibility, reads in rights.items():
            made = await store.create(body(team.id, code=visibility, visibility=visibility), ADMIN)
            assert await outcomes(lambda actor: store.get(made.id, actor.id)) == reads  # noqa: B023
            seen = [
                bool(await store.page(PageQuery(limit=5, filters={"code": visibility}), actor.id))
                for actor in EVERYBODY
            ]
            assert seen == [read == yes for read in reads]
            expected = [yes, yes, *("Forbidden" if read == yes else read for read in reads[2:])]
            changed = lambda actor: store.change(made.id, {"name": "x"}, actor, None)  # noqa: E731, B023
            assert await outcomes(changed) == expected
            refused = [await outcome(store.delete(made.id, actor, None)) for actor in EVERYBODY[2:]]
            assert refused == expected[2:]


async def test_who_creates_projects(database_url: str) -> None:
    async with workspace(database_url) as opened:
        team, _ = await make_team(opened)
        store = opened.resource(PROJECTS)
        made = await outcomes(lambda actor: store.create(body(team.id, code=actor.id), actor))
        assert made == ["yes", "yes", "Forbidden", "Forbidden", "Invalid"]
        own = await store.create(body(None), OUTSIDER)
        assert await outcomes(lambda actor: store.get(own.id, actor.id)) == ["NotFound"] * 4 + ["yes"]
        with pytest.raises(Invalid, match="visibility"):
            await store.change(own.id, {"visibility": "team"}, OUTSIDER, None)
        await store.change(own.id, {"visibility": "public"}, OUTSIDER, None)
        changed = await outcomes(lambda actor: store.change(own.id, {"name": "x"}, actor, None))
        assert changed == ["Forbidden"] * 4 + ["yes"]


async def test_codes_are_unique_in_a_team_and_among_ones_own(database_url: str) -> None:
    async with workspace(database_url) as opened:
        (team, _), (other, _) = await make_team(opened), await make_team(opened, "other")
        store = opened.resource(PROJECTS)
        for team_id in (team.id, other.id, None):
            first = await store.create(body(team_id), OWNER)
            with pytest.raises(AlreadyTaken, match="code"):
                await store.create(body(team_id), OWNER)
            await store.delete(first.id, OWNER, None)
            await store.create(body(team_id), OWNER)
        await store.create(body(None), ADMIN)


async def test_what_is_in_a_project_follows_the_roles_of_its_team(database_url: str) -> None:
    """Whoever created it."""
    async with with_notes(database_url) as opened:
        team, known = await make_team(opened)
        project = await opened.resource(PROJECTS).create(body(team.id, visibility="team"), ADMIN)
        notes, yes = opened.resource(NOTES), "yes"
        inside = {"name": "x", "project_id": project.id}
        writes = [yes, yes, yes, "Forbidden", "Invalid"]
        assert await outcomes(lambda actor: notes.create(inside, actor)) == writes
        note = await notes.create(inside, MEMBER)
        assert await outcomes(lambda actor: notes.get(note.id, actor.id)) == [yes] * 4 + ["NotFound"]
        writes[-1] = "NotFound"
        assert await outcomes(lambda actor: notes.change(note.id, {"name": "y"}, actor, None)) == writes
        assert await outcomes(lambda actor: notes.get_writable(note.id, actor.id)) == writes
        await opened.resource(PROJECTS).change(project.id, {"visibility": "public"}, ADMIN, None)
        assert await outcome(notes.get(note.id, OUTSIDER.id)) == yes
        assert await outcome(notes.delete(note.id, OUTSIDER, None)) == "Forbidden"
        assert len(await notes.page(PageQuery(limit=9), OUTSIDER.id)) == 4
        await opened.resource(PROJECTS).change(project.id, {"visibility": "team"}, ADMIN, None)
        await members_of(opened).remove(team.id, known["member"].id, OWNER)
        assert await outcome(notes.get(note.id, MEMBER.id)) == "NotFound"
        await notes.delete(note.id, OWNER, None)


async def test_what_is_in_no_project_is_its_owners(database_url: str) -> None:
    async with with_notes(database_url) as opened:
        team, _ = await make_team(opened)
        notes = opened.resource(NOTES)
        projects = opened.resource(PROJECTS)
        project = await projects.create(body(team.id, visibility="team"), ADMIN)
        hidden = await projects.create(body(None), OUTSIDER)
        note = await notes.create({"name": "x", "project_id": None}, MEMBER)
        assert await outcomes(lambda actor: notes.get(note.id, actor.id)) == [
            *("NotFound", "NotFound", "yes", "NotFound", "NotFound")
        ]
        with pytest.raises(Invalid, match="project_id"):
            await notes.change(note.id, {"project_id": hidden.id}, MEMBER, None)
        await notes.change(note.id, {"project_id": project.id}, MEMBER, None)
        with pytest.raises(Forbidden, match="somebody else"):
            await notes.change(note.id, {"project_id": None}, ADMIN, None)
        await notes.change(note.id, {"project_id": None}, MEMBER, None)
        assert await outcome(notes.get(note.id, ADMIN.id)) == "NotFound"


async def test_what_is_in_an_archived_or_deleted_project_is_not_changed(database_url: str) -> None:
    async with with_notes(database_url) as opened:
        team, _ = await make_team(opened)
        notes, projects = opened.resource(NOTES), opened.resource(PROJECTS)
        project = await projects.create(body(team.id, visibility="team"), ADMIN)
        note = await notes.create({"name": "x", "project_id": project.id}, MEMBER)
        await projects.change(project.id, {"status": "archived"}, ADMIN, None)
        for call in (
            notes.create({"name": "y", "project_id": project.id}, MEMBER),
            notes.change(note.id, {"name": "y"}, OWNER, None),
            notes.delete(note.id, OWNER, None),
        ):
            with pytest.raises(ProjectArchived):
                await call
        assert await outcome(notes.get(note.id, VIEWER.id)) == "yes"
        await projects.change(project.id, {"status": "active"}, ADMIN, None)
        await notes.change(note.id, {"name": "y"}, MEMBER, None)
        await projects.delete(project.id, ADMIN, None)
        with pytest.raises(NotFound):
            await notes.get(note.id, MEMBER.id)
