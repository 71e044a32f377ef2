"""Code diffs: what is stored of them, file by file, and its bounds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from gencode.diffs import parse_patch
from gencode.domain.errors import NotFound
from gencode.storage.memory import MemoryStore
from gencode.workspace.code_diffs.errors import DiffNotReady, DiffUnusable
from gencode.workspace.code_diffs.resource import CODE_DIFFS
from gencode.workspace.code_diffs.store import CodeDiffs, DiffContent
from gencode.workspace.code_diffs.table import CodeDiff, CodeDiffFile
from gencode.workspace.code_diffs.views import MAX_LINES, MAX_TEXT, DiffFileView
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace
from tests.unit.workspace.test_git_credentials import ALICE, BOB

RUN = TaskVersion(id="00000000-0000-4000-8000-000000000001", version=1)


def patch(files: int, text: bytes = b"x", lines: int = 1) -> bytes:
    added = (b"+" + text + b"\n") * lines
    head = b"diff --git a/%d b/%d\nnew file mode 100644\n--- /dev/null\n+++ b/%d\n@@ -0,0 +1,%d @@\n"
    return b"".join(head % (number, number, number, lines) + added for number in range(files))


def content(data: bytes) -> DiffContent:
    return DiffContent.of_patch(parse_patch(data))


async def row(opened: Workspace, **fields: Any) -> CodeDiff:
    values = {"name": "change", "compare_type": "patch", "status": "completed", **fields}
    return await opened.resource(CODE_DIFFS).create(values, ALICE)


async def test_the_content_is_replaced_as_a_whole_and_read_in_order(database_url: str) -> None:
    async with workspace(database_url) as opened:
        diffs, stored = CodeDiffs(opened, MemoryStore()), await row(opened)
        await diffs.begin(stored.id, RUN)
        await diffs.complete(stored.id, RUN, content(patch(500)))
        data = patch(450, b"\xff\0" + "项目".encode())
        await diffs.complete(stored.id, RUN, content(data))
        await diffs.complete(stored.id, TaskVersion(id="another", version=9), content(patch(1)))
        assert await diffs.diff(stored.id, ALICE.id) == parse_patch(data).commits[0].diff
        shown = await diffs.get(stored.id, ALICE.id)
        assert (shown.files, shown.added, shown.deleted, shown.version) == (450, 450, 0, 1)
        assert [file.file.path for file in await diffs.files(stored.id, 448, 10)] == ["448", "449"]
        async with opened.database.transaction() as session:
            assert await session.scalar(select(func.count()).select_from(CodeDiffFile)) == 450


async def test_what_is_not_compared_or_of_others_is_not_read(database_url: str) -> None:
    async with workspace(database_url) as opened:
        diffs, waiting = (
            CodeDiffs(opened, MemoryStore()),
            await row(opened, status="pending", compare_type="branch"),
        )
        with pytest.raises(DiffNotReady, match="wait"):
            await diffs.diff(waiting.id, ALICE.id)
        await diffs.assign(waiting.id, RUN)
        with pytest.raises(DiffNotReady, match="begin it again"):  # the task is not stored
            await diffs.diff(waiting.id, ALICE.id)
        with pytest.raises(NotFound):
            await diffs.diff(waiting.id, BOB.id)


async def test_a_repeated_request_takes_the_row_of_a_process_that_was_killed(database_url: str) -> None:
    same = {"name": "change", "compare_type": "branch"}
    async with workspace(database_url) as opened:
        first = await row(opened, status="pending", compare_type="branch")
        assert await CodeDiffs(opened, MemoryStore()).lost(ALICE.id, same) is None  # it may be under way
    async with workspace(database_url) as opened:
        diffs = CodeDiffs(opened, MemoryStore())
        found = await diffs.lost(ALICE.id, same)
        assert found
        assert found.id == first.id
        assert await diffs.lost(BOB.id, same) is None
        assert await diffs.lost(ALICE.id, {**same, "name": "another"}) is None
        await diffs.assign(first.id, RUN)
        assert await diffs.lost(ALICE.id, same) is None


def test_content_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gencode.workspace.code_diffs.store.MAX_CONTENT", 10_000)
    assert len(content(patch(10)).files) == 10
    with pytest.raises(DiffUnusable, match="too large"):
        content(patch(10, b"x" * 2000))


async def test_a_page_says_what_it_leaves_out(database_url: str) -> None:
    async with workspace(database_url) as opened:
        diffs, stored = CodeDiffs(opened, MemoryStore()), await row(opened)
        await diffs.begin(stored.id, RUN)
        await diffs.complete(stored.id, RUN, content(patch(1, b"x" * (MAX_TEXT + 1), MAX_LINES + 7)))
        (file,) = await diffs.files(stored.id, 0, 1)
        view = DiffFileView.of(0, file)
        assert (len(view.hunks[0].lines), view.lines_left_out, view.added) == (MAX_LINES, 7, MAX_LINES + 7)
        assert (len(view.hunks[0].lines[0].text), view.hunks[0].lines[0].is_cut) == (MAX_TEXT, True)
