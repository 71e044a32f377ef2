"""Rows whose tasks have ended without telling them, and readers that are slower than a retry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest
from sqlalchemy import delete, select

from gencode.domain.task import Failure, State, Task
from gencode.engine.ports.store import TaskQuery
from gencode.storage.memory import MemoryStore
from gencode.workspace.code_diffs.table import DIFF_TASKS, CodeDiff
from gencode.workspace.conversations.branches import MessageReader
from gencode.workspace.conversations.messages import MessageWriter, NewTurn
from gencode.workspace.conversations.settlement import CHAT, Settlement
from gencode.workspace.errors import ConversationBusy
from gencode.workspace.knowledge_bases.counts import INDEX_TASKS
from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeDocument
from gencode.workspace.repositories.table import SYNC_TASKS, GitRepository
from gencode.workspace.requirement_documents.table import PARSE_TASKS, RequirementDocument
from gencode.workspace.tables import Base, now
from gencode.workspace.task_rows import SUBMISSION, TaskRows, TaskVersion
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import ACTOR, workspace
from tests.unit.storage.samples import a_task
from tests.unit.workspace.test_conversations import begun, turn

FAILURE = Failure(code="CRASH_LOOP", message="it was killed too often", retryable=True)
BASE_ID, TASK_ID = "base", "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A table, and a row of it that waits for its task."""

    rows: TaskRows
    values: Mapping[str, Any]


def _diff() -> Mapping[str, Any]:
    return {"owner": ACTOR.id, "name": "d", "compare_type": "branch"}


MIRRORS = {
    "code diff": Mirror(rows=DIFF_TASKS, values=_diff()),
    "repository": Mirror(rows=SYNC_TASKS, values={"owner": ACTOR.id, "name": "r", "repository_url": "u"}),
    "requirements": Mirror(rows=PARSE_TASKS, values={"owner": ACTOR.id, "name": "r", "source": "upload"}),
    "document": Mirror(
        rows=INDEX_TASKS,
        values={"base_id": BASE_ID, "name": "n", "source": "text", "format": "text", "size": 1}
        | {"content_hash": "h"},
    ),
}
TABLES: Sequence[type[Base]] = (CodeDiff, GitRepository, RequirementDocument, KnowledgeDocument)


async def waiting(opened: Workspace, mirror: Mirror) -> None:
    """The only row, and the base of a document."""
    rows = mirror.rows
    async with opened.database.transaction() as session:
        for table in (rows.table, KnowledgeBase):
            await session.execute(delete(table))
        session.add(KnowledgeBase(id=BASE_ID, owner=ACTOR.id, name="b", pending_count=1))
        values = {**mirror.values, rows.status: rows.open[0], rows.task: TASK_ID}
        session.add(rows.table(**values))


async def state_of(opened: Workspace, rows: TaskRows) -> tuple[Any, ...]:
    names = ("status", "code", "version")
    async with opened.database.transaction() as session:
        found = await session.execute(select(*(rows.column(name) for name in names)))
        return tuple(found.one())


async def stored(tasks: MemoryStore, state: State, failure: Failure | None = None, **fields: Any) -> Task:
    task = a_task(ACTOR.id, **{"id": TASK_ID, "state": state, "failure": failure, **fields})
    await tasks.create(task, {}, [])
    return task


def test_every_table_that_has_the_state_of_a_task_is_tested() -> None:
    assert {mirror.rows.table for mirror in MIRRORS.values()} == set(TABLES)


ENDS: Sequence[tuple[State | None, Failure | None, str | None]] = (
    (State.CANCELLED, None, "CANCELLED"),  # also of one that no worker ever had
    (State.FAILED, FAILURE, "CRASH_LOOP"),
    (State.SUCCEEDED, None, "INTERNAL"),
    (None, None, "NOT_FOUND"),  # pruned
    (State.QUEUED, None, None),
    (State.RUNNING, None, None),
)


@pytest.mark.parametrize("name", MIRRORS)
async def test_a_row_whose_task_ends_without_telling_it_fails(database_url: str, name: str) -> None:
    rows = MIRRORS[name].rows
    async with workspace(database_url) as opened:
        for state, failure, code in ENDS:
            tasks = MemoryStore()
            await waiting(opened, MIRRORS[name])
            if state:
                await stored(tasks, state, failure)
            await rows.settle(opened.database, tasks, rows.owned("somebody else"))
            assert await state_of(opened, rows) == (rows.open[0], None, 0)
            await rows.settle(opened.database, tasks, rows.owned(ACTOR.id))
            status = rows.failed if code else rows.open[0]
            assert (await state_of(opened, rows))[:2] == (status, code), state
            if name == "document":
                assert await counts_of(opened) == ((0, 1) if code else (1, 0))


async def counts_of(opened: Workspace) -> tuple[int, int]:
    """Documents of the base that wait, and that have failed."""
    counted = select(KnowledgeBase.pending_count, KnowledgeBase.failed_count)
    async with opened.database.transaction() as session:
        pending, failed = (await session.execute(counted)).one()
        return pending, failed


class SlowReader(MemoryStore):
    """A store whose answers to `find` come when `go_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.has_read, self.go_on = anyio.Event(), anyio.Event()

    async def find(self, query: TaskQuery) -> Sequence[Task]:
        found = await super().find(query)
        if query.id:
            self.has_read.set()
            await self.go_on.wait()
        return found


async def test_a_reader_that_is_slower_than_a_retry_does_not_end_the_row(database_url: str) -> None:
    async with workspace(database_url) as opened:
        for name, mirror in MIRRORS.items():
            tasks, rows = SlowReader(), mirror.rows
            await waiting(opened, mirror)
            task = await stored(tasks, State.FAILED, FAILURE)
            async with anyio.create_task_group() as tg:
                tg.start_soon(rows.settle, opened.database, tasks, rows.owned(ACTOR.id))
                await tasks.has_read.wait()
                await run_again(opened, rows, TaskVersion(id=task.id, version=task.version + 2))
                tasks.go_on.set()
            assert await state_of(opened, rows) == (rows.open[-1], None, task.version + 2), name


async def run_again(opened: Workspace, rows: TaskRows, run: TaskVersion) -> None:
    """What the stage of a run does first."""
    async with opened.database.transaction() as session:
        found = await session.scalar(select(rows.table).where(rows.may_begin(run)))
        for column, value in {**rows.at(run), rows.status: rows.open[-1]}.items():
            setattr(found, column, value)


async def test_a_displaced_worker_changes_nothing(database_url: str) -> None:
    rows, old, new = DIFF_TASKS, TaskVersion(id=TASK_ID, version=2), TaskVersion(id=TASK_ID, version=5)
    async with workspace(database_url) as opened:
        await waiting(opened, MIRRORS["code diff"])
        await run_again(opened, rows, new)
        async with opened.database.transaction() as session:
            for condition in (rows.may_begin(old), rows.may_go_on(old)):
                assert await session.scalar(select(CodeDiff).where(condition)) is None
            assert await session.scalar(select(CodeDiff).where(rows.may_go_on(new)))


# --- answers of conversations -------------------------------------------------------------------------------


async def a_failed_answer(opened: Workspace, tasks: MemoryStore, *, is_settled: bool) -> tuple[NewTurn, Task]:
    new = turn(await begun(opened))
    await MessageWriter(opened.database).open(new, reopens=True)
    task = await stored(tasks, State.FAILED, FAILURE, id=new.task.id, kind=CHAT)
    if is_settled:
        await Settlement(opened.database, tasks).settle(ACTOR.id)
    return new, task


async def status_of(opened: Workspace, new: NewTurn) -> str:
    (row,) = await MessageReader(opened.database).messages([new.ids.answer_id])
    return row.status


async def test_a_reader_that_is_slower_than_a_retry_lets_no_second_message_in(database_url: str) -> None:
    tasks = SlowReader()
    async with workspace(database_url) as opened:
        new, task = await a_failed_answer(opened, tasks, is_settled=False)
        writer, settlement = MessageWriter(opened.database), Settlement(opened.database, tasks)
        async with anyio.create_task_group() as tg:
            tg.start_soon(settlement.settle, ACTOR.id, new.ids.conversation_id)
            await tasks.has_read.wait()
            retried = replace(task, state=State.RUNNING, failure=None, version=task.version + 1)
            await tasks.commit(retried, [])
            run = replace(new, task=TaskVersion.of(retried))
            await writer.open(run, reopens=True)  # the stage of the retried task
            tasks.go_on.set()
        assert await status_of(opened, new) == "streaming"
        with pytest.raises(ConversationBusy):
            await writer.open(turn(new.ids.conversation_id, new.ids.answer_id), reopens=False)


async def test_an_answer_is_being_written_from_its_retry_on(database_url: str) -> None:
    tasks = MemoryStore()
    async with workspace(database_url) as opened:
        new, task = await a_failed_answer(opened, tasks, is_settled=True)
        assert await status_of(opened, new) == "failed"
        await tasks.commit(replace(task, state=State.QUEUED, failure=None, version=task.version + 1), [])
        settlement = Settlement(opened.database, tasks)
        (unfinished,) = await settlement.settle(ACTOR.id, new.ids.conversation_id)
        assert unfinished.answer_id == new.ids.answer_id
        assert await status_of(opened, new) == "streaming"


async def test_a_retried_answer_does_not_displace_another_that_is_being_written(database_url: str) -> None:
    tasks = MemoryStore()
    async with workspace(database_url) as opened:
        new, task = await a_failed_answer(opened, tasks, is_settled=True)
        second = turn(new.ids.conversation_id, new.ids.answer_id)
        await MessageWriter(opened.database).open(second, reopens=False)
        await tasks.create(a_task(ACTOR.id, id=second.task.id, kind=CHAT, state=State.RUNNING), {}, [])
        await tasks.commit(replace(task, state=State.QUEUED, failure=None, version=task.version + 1), [])
        unfinished = await Settlement(opened.database, tasks).settle(ACTOR.id, new.ids.conversation_id)
        assert [one.answer_id for one in unfinished] == [second.ids.answer_id]
        assert await status_of(opened, new) == "failed"


async def test_a_repository_that_was_never_synced_waits_for_no_task(database_url: str) -> None:
    async with workspace(database_url) as opened:
        long_ago = now() - 2 * SUBMISSION
        async with opened.database.transaction() as session:
            for name in ("repository", "code diff"):
                values = {**MIRRORS[name].values, "created_at": long_ago}
                session.add(MIRRORS[name].rows.table(**values))
        for rows, status in ((SYNC_TASKS, "pending"), (DIFF_TASKS, "failed")):
            await rows.settle(opened.database, MemoryStore(), rows.owned(ACTOR.id))
            assert (await state_of(opened, rows))[0] == status


async def test_a_task_that_is_faster_than_its_submission_is_not_set_back(database_url: str) -> None:
    async with workspace(database_url) as opened:
        for mirror in MIRRORS.values():
            await waiting(opened, mirror)
            for task_id, count in ((TASK_ID, 0), (TASK_ID[:-1] + "0", 0), (TASK_ID[:-1] + "2", 1)):
                may_be_assigned = select(mirror.rows.table).where(mirror.rows.may_be_assigned(task_id))
                async with opened.database.transaction() as session:
                    assert len((await session.scalars(may_be_assigned)).all()) == count
