"""What tasks write into requirement documents, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from gencode.documents.document import Counts, Document, DocumentKind, DocumentWarning, Section, WarningCode
from gencode.domain.errors import Invalid, NotFound
from gencode.storage.memory import MemoryStore
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.requirement import (
    Analysis,
    ComparisonLedger,
    PartStatus,
    Requirement,
    RequirementType,
    SourceQuote,
)
from gencode.workspace.requirement_documents.resource import REQUIREMENT_DOCUMENTS
from gencode.workspace.requirement_documents.table import PARSE_TASKS, RequirementDocument
from gencode.workspace.requirement_documents.views import view_of
from gencode.workspace.resources.store import PageQuery
from gencode.workspace.tables import now
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.table import Upload
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, workspace

OWNER = ACTOR.id
FIRST, SECOND = TaskVersion(id="task-1", version=1), TaskVersion(id="task-2", version=1)
READ = Document(
    kind=DocumentKind.MD,
    text="# 登录\n系统必须锁定账户。\n",
    sections=(Section(start=0, end=17, title="登录", level=1),),
    counts=Counts(characters=17),
    warnings=(DocumentWarning(code=WarningCode.PICTURES_LEFT_OUT, values={"count": 2}),),
)


@asynccontextmanager
async def uploaded(url: str) -> AsyncIterator[tuple[Workspace, RequirementDocuments, str]]:
    async with workspace(url) as opened:
        row = await opened.resource(REQUIREMENT_DOCUMENTS).create(
            {"name": "a", "upload_id": "u", "original_filename": "a.md"},
            ACTOR,
            [
                Upload(
                    id="u", owner=OWNER, name="a.md", media_type="text/markdown", size=1, sha256="", data=b"x"
                )
            ],
        )
        yield opened, RequirementDocuments(opened.database), row.id


def analysis(task: str, *statements: str) -> Analysis:
    return Analysis(
        document_id="d",
        document_name="a",
        task_id=task,
        model="m",
        language="en",
        is_complete=True,
        by_rules=False,
        requirements=[
            Requirement(
                id=f"R{number}-aaaaaa",
                type=RequirementType.FUNCTIONAL,
                statement=statement,
                source=SourceQuote(text="", is_verified=False),
            )
            for number, statement in enumerate(statements, 1)
        ],
        contradictions=[],
        open_questions=[],
        parts=[],
        comparison=ComparisonLedger(status=PartStatus.ANALYSED, compared=0, of=0),
        left_out=0,
        next_number=9,
    )


async def test_a_document_is_read_once_by_the_task_that_began_last(database_url: str) -> None:
    async with uploaded(database_url) as (_, documents, row_id):
        await documents.begin(row_id, OWNER, FIRST)
        await documents.begin(row_id, OWNER, SECOND)
        await documents.fail(row_id, OWNER, FIRST, "DOCUMENT_KIND", "late")
        assert (await documents.get(row_id, OWNER)).status == "processing"
        for _ in range(2):  # a repetition changes nothing
            await documents.finish(row_id, OWNER, SECOND, READ)
            view = view_of(await documents.get(row_id, OWNER))
            assert (view.status, view.original_content, view.language) == ("completed", READ.text, "zh")
            assert view.warnings[0].message == "2 pictures were left out"
        row = await documents.get(row_id, OWNER)
        assert [Section(**one) for one in row.sections] == list(READ.sections)


async def test_others_and_deleted_documents_are_not_found(database_url: str) -> None:
    async with uploaded(database_url) as (opened, documents, row_id):
        with pytest.raises(NotFound):
            await documents.get(row_id, "somebody else")
        with pytest.raises(Invalid):
            await opened.resource(REQUIREMENT_DOCUMENTS).create(
                {"name": "b", "original_content": "x", "previous_id": row_id},
                type(ACTOR)(id="somebody else", address=""),
            )
        await documents.discard(row_id, OWNER)
        with pytest.raises(NotFound):
            await documents.begin(row_id, OWNER, FIRST)


async def test_an_upload_without_a_task_is_told_after_a_while(database_url: str) -> None:
    async with uploaded(database_url) as (opened, documents, row_id):
        tasks, own = MemoryStore(), PARSE_TASKS.owned(OWNER)
        await PARSE_TASKS.settle(opened.database, tasks, own)
        assert (await documents.get(row_id, OWNER)).status == "pending"
        async with opened.database.transaction() as session:
            await session.execute(update(RequirementDocument).values(created_at=now() - timedelta(minutes=2)))
        await PARSE_TASKS.settle(opened.database, tasks, own)
        row = await documents.get(row_id, OWNER)
        assert (row.status, row.error_code) == ("failed", "NOT_FOUND")


async def test_the_last_analysis_is_found_over_versions(database_url: str) -> None:
    async with uploaded(database_url) as (opened, documents, row_id):
        store = opened.resource(REQUIREMENT_DOCUMENTS)
        first = await documents.get(row_id, OWNER)
        assert await documents.last_analysis(first) is None
        assert await documents.requirements(row_id, OWNER) == ()
        await documents.store_analysis(row_id, OWNER, analysis(FIRST.id, "a", "b"), "# a")
        second = await store.create({"name": "b", "original_content": "x", "previous_id": row_id}, ACTOR)
        third = await store.create({"name": "c", "original_content": "x", "previous_id": second.id}, ACTOR)
        found = await documents.last_analysis(await documents.get(third.id, OWNER))
        assert found == analysis(FIRST.id, "a", "b")
        assert [one.statement for one in await documents.requirements(row_id, OWNER)] == ["a", "b"]


async def test_lists_do_not_read_texts(database_url: str) -> None:
    async with uploaded(database_url) as (opened, documents, row_id):
        await documents.begin(row_id, OWNER, FIRST)
        await documents.finish(row_id, OWNER, FIRST, READ)
        (row,) = await opened.resource(REQUIREMENT_DOCUMENTS).page(PageQuery(limit=5), OWNER)
        assert not {"original_content", "optimized_content", "sections", "requirements"} & row.__dict__.keys()
        renamed = await opened.resource(REQUIREMENT_DOCUMENTS).change(row_id, {"name": "n"}, ACTOR, None)
        assert view_of(renamed).original_content == READ.text


async def test_a_repeated_upload_takes_the_document_of_a_process_that_was_killed(database_url: str) -> None:
    async with uploaded(database_url) as (opened, documents, row_id):
        async with opened.database.transaction() as session:
            upload = await session.get_one(Upload, "u")
        assert await documents.lost(OWNER, opened.opened_at, upload) is None  # it may be under way
        found = await documents.lost(OWNER, now(), upload)
        assert found
        assert found.id == row_id
        assert await documents.lost("somebody else", now(), upload) is None
        await documents.assign(row_id, OWNER, FIRST)
        assert await documents.lost(OWNER, now(), upload) is None
