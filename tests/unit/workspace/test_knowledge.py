"""Knowledge bases without HTTP: rows and index together, also where a process is killed between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from gencode.domain.errors import Invalid, NotFound
from gencode.retrieval.chunking import split_document
from gencode.retrieval.citations import Unsupported
from gencode.retrieval.memory import MemoryIndex
from gencode.retrieval.port import EncoderInfo
from gencode.retrieval.vectors import to_half
from gencode.workspace.identity.actor import Actor
from gencode.workspace.knowledge_bases import counts, knowledge
from gencode.workspace.knowledge_bases.documents import NOT_QUEUED, typed_document
from gencode.workspace.knowledge_bases.encoder_spec import stored_spec
from gencode.workspace.knowledge_bases.errors import KnowledgeBaseFull
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.resource import (
    KNOWLEDGE_BASES,
    EncoderStatus,
    KnowledgeBaseCreation,
    encoder_status,
)
from gencode.workspace.knowledge_bases.sources import KnowledgeQuote, KnowledgeSource
from gencode.workspace.knowledge_bases.tables import (
    DocumentFormat,
    KnowledgeBase,
    KnowledgeDocument,
    KnowledgeRemoval,
    KnowledgeText,
)
from gencode.workspace.model_configs.resource import MODEL_CONFIGS
from gencode.workspace.task_rows import TaskVersion
from tests.servers.workspace import workspace

ALICE, BOB = Actor(id="user:alice"), Actor(id="user:bob")
TASK = "00000000-0000-4000-8000-000000000001"
RUN = TaskVersion(id=TASK, version=1)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[KnowledgeBases]:
    async with workspace(url, encryption_keys=(b"e" * 32,)) as made:
        yield KnowledgeBases(workspace=made, index=MemoryIndex())


async def a_base(bases: KnowledgeBases, **fields: Any) -> KnowledgeBase:
    values = KnowledgeBaseCreation(name=fields.pop("name", "guides"), **fields).model_dump(mode="json")
    return await bases.workspace.resource(KNOWLEDGE_BASES).create(values, ALICE)


async def add(bases: KnowledgeBases, base: KnowledgeBase, text: str, name: str = "a.md") -> KnowledgeDocument:
    row, _ = await bases.documents.add(base, typed_document(name, text, DocumentFormat.MARKDOWN), ALICE)
    return row


async def put(bases: KnowledgeBases, row: KnowledgeDocument, text: str, *, is_done: bool = True) -> None:
    """What the stages of a task do."""
    await bases.documents.processing(row.id, RUN)
    split = split_document(row.id, text, form="markdown")
    await bases.index.apply(row.base_id, put=[split])
    await bases.documents.indexed(row.id, len(split.chunks), 30)
    if is_done:
        await bases.documents.completed(row.id)


async def indexed(
    bases: KnowledgeBases, base: KnowledgeBase, text: str, name: str = "a.md"
) -> KnowledgeDocument:
    row = await add(bases, base, text, name)
    await put(bases, row, text)
    return row


async def present(bases: KnowledgeBases, base: KnowledgeBase) -> KnowledgeBase:
    return await bases.base(base.id, ALICE.id)


async def test_a_base_counts_its_documents_and_says_how_far_it_is_indexed(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        first = await indexed(bases, base, "one two three")
        second = await add(bases, base, "four five", "b.md")
        await bases.documents.queued(second.id, TASK)
        third = await indexed(bases, base, "six", "c.md")
        view = KNOWLEDGE_BASES.view(await present(bases, base))
        assert (view.document_count, view.pending_count, view.failed_count) == (3, 1, 0)
        assert (view.chunk_count, view.total_size, view.is_complete) == (2, 25, False)
        assert (await present(bases, base)).indexed_until == first.created_at
        await put(bases, second, "four five")
        row = await present(bases, base)
        assert (row.indexed_until, row.pending_count) == (third.created_at, 0)
        assert KNOWLEDGE_BASES.view(row).is_complete


async def test_a_document_whose_task_was_never_stored_says_so(database_url: str) -> None:
    async with opened(database_url) as bases:
        row = await add(bases, base := await a_base(bases), "text")
        assert (row.processing_status, row.error_code) == ("failed", NOT_QUEUED)
        await bases.documents.queued(row.id, TASK)
        waiting = await bases.documents.get(base.id, row.id)
        assert (waiting.processing_status, waiting.error_code, waiting.task_id) == ("pending", None, TASK)


async def test_a_task_that_is_faster_than_its_submission_is_not_set_back(database_url: str) -> None:
    async with opened(database_url) as bases:
        row = await add(bases, base := await a_base(bases), "text")
        await bases.documents.processing(row.id, RUN)
        await bases.documents.queued(row.id, TASK)
        assert (await bases.documents.get(base.id, row.id)).processing_status == "processing"
        await bases.fail(base.id, row.id, RUN, "LLM_AUTH", "wrong key")
        await bases.documents.queued(row.id, TASK)
        failed = await bases.documents.get(base.id, row.id)
        assert (failed.processing_status, failed.error_message) == ("failed", "wrong key")


async def test_the_same_content_is_one_document_until_it_is_deleted(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        first = await add(bases, base, "text")
        assert (await add(bases, base, "text", "other.md")).id == first.id
        await bases.documents.delete(base.id, first.id, ALICE)
        assert (await add(bases, base, "text")).id != first.id


async def test_a_full_base_takes_no_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        await add(bases, base, "text")
        monkeypatch.setattr("gencode.workspace.knowledge_bases.documents.MAX_BYTES", 9)
        with pytest.raises(KnowledgeBaseFull, match="9 bytes"):
            await add(bases, base, "123456")
        monkeypatch.setattr("gencode.workspace.knowledge_bases.documents.MAX_DOCUMENTS", 1)
        with pytest.raises(KnowledgeBaseFull, match="1 documents"):
            await add(bases, base, "1")
        assert (await present(bases, base)).document_count == 1
        assert counts.MAX_CHUNKS * 1536 * 4 < 128 * 2**20  # the vectors of a whole base are cached


async def test_what_was_deleted_is_hidden_at_once_and_removed_after_a_crash(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        row = await indexed(bases, base, "apples and pears")
        await bases.documents.delete(base.id, row.id, ALICE)  # and the process is killed
        assert (await bases.search_bases(ALICE.id, [base.id], "apples")).sources == ()
        assert (await bases.index.state(base.id)).documents == 1
        await bases.remove_pending()
        assert (await bases.index.state(base.id)).documents == 0
        assert await count(bases, KnowledgeText) == await count(bases, KnowledgeRemoval) == 0


async def test_a_base_is_removed_from_the_index_only_if_it_was_deleted(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        await indexed(bases, base, "apples and pears")
        await bases.note_removal(base.id)  # and the process is killed
        await bases.remove_pending()
        assert (await bases.index.state(base.id)).documents == 1
        await bases.workspace.resource(KNOWLEDGE_BASES).delete(base.id, ALICE, None)
        await bases.remove_pending()
        assert (await bases.index.state(base.id)).documents == 0
        assert await count(bases, KnowledgeText) == await count(bases, KnowledgeRemoval) == 0


async def count(bases: KnowledgeBases, table: Any) -> int:
    async with bases.workspace.database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_search_names_what_it_could_not_look_at(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        await indexed(bases, base, "发布由两名工程师批准。")
        late = await add(bases, base, "回滚需要十分钟。", "late.md")
        found = await bases.search_bases(ALICE.id, [base.id, base.id], "谁批准？")
        assert [source.document_name for source in found.sources] == ["a.md"]
        assert (found.is_complete, found.missing_count) == (False, 1)
        assert (found.missing[0].document_id, found.missing[0].error_code) == (late.id, NOT_QUEUED)
        assert [found.sources[0].text[span.start : span.end] for span in found.sources[0].highlights] == [
            "批准"
        ]


async def test_what_has_failed_is_not_found(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        row = await add(bases, base, "apples")
        await put(bases, row, "apples", is_done=False)
        assert len((await bases.search_bases(ALICE.id, [base.id], "apples")).sources) == 1
        await bases.fail(base.id, row.id, RUN, "LLM_AUTH", "wrong key")
        assert (await bases.search_bases(ALICE.id, [base.id], "apples")).sources == ()
        assert (await bases.index.state(base.id)).documents == 0
        await bases.fail(base.id, row.id, TaskVersion(id="another", version=1), "X", "x")
        assert (await bases.documents.get(base.id, row.id)).error_code == "LLM_AUTH"


async def test_others_see_public_bases_only(database_url: str) -> None:
    async with opened(database_url) as bases:
        private, public = await a_base(bases), await a_base(bases, name="public", is_public=True)
        await indexed(bases, public, "apples")
        assert len((await bases.search_bases(BOB.id, [public.id], "apples")).sources) == 1
        with pytest.raises(NotFound):
            await bases.search_bases(BOB.id, [public.id, private.id], "apples")
        with pytest.raises(NotFound):
            await bases.own_base(public.id, BOB.id)
        with pytest.raises(Invalid, match="20"):
            await bases.search_bases(BOB.id, [str(n) for n in range(knowledge.MAX_BASES + 1)], "apples")


async def test_quotes_are_verified_against_what_is_stored_now(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases)
        row = await indexed(bases, base, "发布由两名工程师批准。")
        shown = (await bases.search_bases(ALICE.id, [base.id], "批准")).sources
        kept = [KnowledgeSource.model_validate_json(source.model_dump_json()) for source in shown]
        quotes = [
            KnowledgeQuote(text="两名工程师", source=0),
            KnowledgeQuote(text="三名工程师", source=0),
            KnowledgeQuote(text="两名工程师", source=7),
            KnowledgeQuote(text="两名工程师"),
        ]
        checked = await bases.verify(ALICE.id, quotes, kept)
        assert [one.reason for one in checked] == [None, Unsupported.NOT_FOUND, Unsupported.NOT_SHOWN, None]
        (place,) = checked[0].locations
        assert (place.document_name, place.start, place.text, place.sources) == (
            "a.md",
            3,
            "两名工程师",
            (0,),
        )
        assert reasons(await bases.verify(BOB.id, quotes[:1], kept)) == [Unsupported.SOURCE_CHANGED]
        await bases.documents.delete(base.id, row.id, ALICE)
        assert reasons(await bases.verify(ALICE.id, quotes[:1], kept)) == [Unsupported.SOURCE_CHANGED]


def reasons(checked: Sequence[Any]) -> list[Unsupported | None]:
    return [one.reason for one in checked]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"encoder": "model"}, "encoder_config"),
        ({"encoder": "model", "encoder_config": f"config/{TASK}"}, "encoder_config"),
    ],
)
async def test_an_encoder_that_cannot_be_used_is_refused(
    database_url: str, fields: dict[str, Any], field: str
) -> None:
    async with opened(database_url) as bases:
        with pytest.raises(Invalid, match=field):
            await a_base(bases, **fields)


async def test_an_encoder_is_activated_when_all_chunks_have_vectors(database_url: str) -> None:
    async with opened(database_url) as bases:
        base = await a_base(bases, **await an_encoder(bases))
        spec = stored_spec((await present(bases, base)).target_encoder)
        assert spec
        info = EncoderInfo(name=spec.model, version=spec.version, dimensions=2)
        assert info.id == spec.id
        await bases.change_encoders(base.id, spec.model_copy(update={"dimensions": 2}))
        one, two = await indexed(bases, base, "apples"), await add(bases, base, "pears", "b.md")
        await put(bases, two, "pears", is_done=False)
        await bases.index.add_encoder(base.id, info)
        await encode(bases, base, info, one)
        assert not await bases.activate(base.id)
        assert encoder_status(await present(bases, base)) is EncoderStatus.BUILDING
        await bases.fail(
            base.id, two.id, RUN, "LLM_BAD_REQUEST", "refused"
        )  # it keeps nothing from becoming active
        assert encoder_status(await present(bases, base)) is EncoderStatus.ACTIVE
        assert (await bases.index.state(base.id)).active_encoder == info.id

        changed = {"encoder_dimensions": 4}
        await bases.workspace.resource(KNOWLEDGE_BASES).change(base.id, changed, ALICE, None)
        row = await present(bases, base)
        assert encoder_status(row) is EncoderStatus.BUILDING
        assert stored_spec(row.active_encoder) != stored_spec(row.target_encoder)
        await bases.change_encoders(base.id, spec, active=spec)  # by a task that began before the change
        assert encoder_status(await present(bases, base)) is EncoderStatus.BUILDING
        await bases.workspace.resource(KNOWLEDGE_BASES).change(base.id, {"encoder": "none"}, ALICE, None)
        row = await present(bases, base)
        assert (encoder_status(row), row.encoder_config) == (EncoderStatus.NONE, None)


async def an_encoder(bases: KnowledgeBases) -> dict[str, str]:
    fields = {"name": "v", "provider": "openai", "model": "embed", "api_key": "k"}
    config = await bases.workspace.resource(MODEL_CONFIGS).create(fields, ALICE)
    return {"encoder": "model", "encoder_config": f"config/{config.id}"}


async def encode(
    bases: KnowledgeBases, base: KnowledgeBase, info: EncoderInfo, row: KnowledgeDocument
) -> None:
    chunks = await bases.index.unencoded(base.id, info.id, 100, row.id)
    vectors = {chunk.ref: to_half([[1.0, 2.0]], 2)[0] for chunk in chunks}
    await bases.index.store_vectors(base.id, info.id, vectors)
