"""What every resource has, shown by prompt templates, over both databases."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from sqlalchemy import select

from gencode.domain.errors import Invalid, NotFound
from gencode.workspace.audit.tables import AuditEntry
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.errors import AlreadyTaken, VersionChanged
from gencode.workspace.identity.actor import Actor
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES, PromptTemplate, PromptTemplateView
from gencode.workspace.resources.cursors import cursor_after, read_cursor
from gencode.workspace.resources.store import MAX_AUDITED, PageQuery, ResourceStore
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

ALICE, BOB = Actor(id="user:alice", address="192.0.2.1"), Actor(id="bob")


def store_of(opened: Workspace) -> ResourceStore[PromptTemplate, PromptTemplateView]:
    return opened.resource(PROMPT_TEMPLATES)


def template(identifier: str = "one", **fields: Any) -> dict[str, Any]:
    return {
        "name": identifier.title(),
        "identifier": identifier,
        "content": "Review {{ code }}",
        "category": "general",
        **fields,
    }


async def test_a_row_is_its_owners_until_it_is_shared_and_others_only_read_it(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store = store_of(opened)
        row = await store.create(template(), ALICE)
        assert (await store.get(row.id, ALICE.id)).identifier == "one"
        with pytest.raises(NotFound):
            await store.get(row.id, BOB.id)
        await store.change(row.id, {"is_public": True}, ALICE, None)
        assert (await store.get(row.id, BOB.id)).identifier == "one"
        assert [found.id for found in await store.page(PageQuery(limit=5), BOB.id)] == [row.id]
        for refused in (store.change(row.id, {"name": "x"}, BOB, None), store.delete(row.id, BOB, None)):
            with pytest.raises(NotFound):
                await refused
        await store.delete(row.id, ALICE, None)
        for principal in (ALICE.id, BOB.id):
            with pytest.raises(NotFound):
                await store.get(row.id, principal)
            assert await store.page(PageQuery(limit=5), principal) == []


async def test_unique_values_are_an_owners_and_free_again_after_deletion(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store = store_of(opened)
        first, other = await store.create(template(), ALICE), await store.create(template("two"), ALICE)
        await store.create(template(), BOB)
        with pytest.raises(AlreadyTaken, match="prompt template has this identifier"):
            await store.create(template(), ALICE)
        with pytest.raises(AlreadyTaken):
            await store.change(other.id, {"identifier": "one"}, ALICE, None)
        assert (await store.get(other.id, ALICE.id)).identifier == "two"
        await store.delete(first.id, ALICE, None)
        await store.create(template(), ALICE)


async def test_of_two_changes_of_one_version_one_is_refused(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store, outcomes = store_of(opened), []
        row = await store.create(template(), ALICE)

        async def change(name: str) -> None:
            try:
                outcomes.append((await store.change(row.id, {"name": name}, ALICE, 1)).version)
            except VersionChanged:
                outcomes.append(0)

        async with anyio.create_task_group() as group:
            for name in ("a", "b"):
                group.start_soon(change, name)
        assert sorted(outcomes) == [0, 2]
        with pytest.raises(VersionChanged):
            await store.delete(row.id, ALICE, 1)
        await store.delete(row.id, ALICE, 2)


@pytest.mark.parametrize("sort", ["name", "created_at"])
@pytest.mark.parametrize("descending", [True, False])
async def test_pages_have_each_row_once_in_order(database_url: str, sort: str, descending: bool) -> None:
    async with workspace(database_url) as opened:
        store = store_of(opened)
        rows = [await store.create(template(f"t{n}", name=f"Name {n % 3}"), ALICE) for n in range(7)]
        await store.create(template("foreign"), BOB)
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2, "sort": sort, "descending": descending}
        after = None
        while True:
            page = await store.page(PageQuery(**query, after=after), ALICE.id)
            seen += [row.id for row in page[:2]]
            if len(page) <= 2:
                break
            kind = type(getattr(page[1], sort))
            after = read_cursor(cursor_after(getattr(page[1], sort), page[1].id), kind)
        expected = sorted(rows, key=lambda row: (getattr(row, sort), row.id), reverse=descending)
        assert seen == [row.id for row in expected]


async def test_lists_are_restricted_by_column_and_by_a_part_of_the_name(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store = store_of(opened)
        for identifier, name, category in (("a", "100% Code", "code_review"), ("b", "小说", "general")):
            await store.create(template(identifier, name=name, category=category), ALICE)

        async def names(**more: Any) -> list[str]:
            return [row.identifier for row in await store.page(PageQuery(limit=9, **more), ALICE.id)]

        assert await names(filters={"category": "general"}) == ["b"]
        assert await names(text="CODE") == ["a"]
        assert await names(text="%") == ["a"], "a wildcard of SQL is a character here"
        assert await names(text="说") == ["b"]
        assert await names(text="_") == []


async def test_changes_are_audited_and_long_texts_by_their_digest(database_url: str) -> None:
    async with workspace(database_url) as opened:
        store = store_of(opened)
        row = await store.create(template(content="x" * (MAX_AUDITED + 1)), ALICE)
        await store.change(row.id, {"name": "New"}, ALICE, None)
        await store.delete(row.id, ALICE, None)
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.position))).all()
        assert (await opened.audit.verify(opened.database)).broken is None
        assert [entry.action for entry in entries] == [
            "PromptTemplate.created",
            "PromptTemplate.changed",
            "PromptTemplate.deleted",
        ]
        assert {entry.subject for entry in entries} == {f"PromptTemplate:{row.id}"}
        assert entries[0].after["content"]["length"] == MAX_AUDITED + 1
        assert (entries[1].before, entries[1].after) == ({"name": "One"}, {"name": "New"})


async def test_long_documents_are_audited_by_their_digest(database_url: str) -> None:
    async with workspace(database_url) as opened:
        spec = {"dataModels": [{"name": f"Thing{number}"} for number in range(50)]}
        for document in ({"label": "short"}, spec):
            values = {"name": "Shop", "version_tag": "1.0.0", "spec": document}
            await opened.resource(BLUEPRINTS).create(values, ALICE)
        async with opened.database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.position))).all()
        assert entries[0].after["spec"] == {"label": "short"}
        assert entries[1].after["spec"].keys() == {"length", "sha256"}


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "WzFd", "WyJhIl0=", "bnVsbA==", "WyJcdTAwMDAiLCAiYSJd", "[" * 5000]
)
@pytest.mark.parametrize("kind", [str])
def test_a_foreign_cursor_is_refused(cursor: str, kind: type[Any]) -> None:
    with pytest.raises(Invalid, match="cursor"):
        read_cursor(cursor, kind)
