"""The content of code diffs: a row for each file, so that pages and patches are read file by file."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from sqlalchemy import ColumnElement, Update, delete, insert, select, update

from gencode.diffs import Diff, Patch
from gencode.diffs.stored_files import StoredFile
from gencode.domain.phrase import Phrase
from gencode.engine.ports.store import Store
from gencode.workspace.code_diffs.errors import DiffNotReady, DiffUnusable
from gencode.workspace.code_diffs.resource import CODE_DIFFS
from gencode.workspace.code_diffs.table import DIFF_TASKS, CodeDiff, CodeDiffFile, DiffStatus
from gencode.workspace.tables import now
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace

MAX_CONTENT = 64 * 2**20
"""Bytes of the JSON of all files of a diff."""
_BATCH = 200
"""Files that are written or read by one statement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffContent:
    """What is stored of a diff. `files`: deflated JSON of each, in order."""

    files: Sequence[bytes]
    stats: Mapping[str, int]

    @classmethod
    def of(cls, diff: Diff, commits: Sequence[str] = ()) -> DiffContent:
        """`commits`: of each file, for a patch that has several. Takes time. Raises DiffUnusable."""
        names = commits or [""] * len(diff.files)
        size, deflated = 0, []
        for file, commit in zip(diff.files, names, strict=True):
            text = StoredFile.of(file, commit).model_dump_json().encode()
            size += len(text)
            if size > MAX_CONTENT:
                raise DiffUnusable("the changes are too large to be stored: compare closer commits")
            deflated.append(zlib.compress(text, 1))
        stats = diff.stats
        return cls(
            files=deflated,
            stats={"files": stats.files, "added": stats.added, "deleted": stats.deleted},
        )

    @classmethod
    def of_patch(cls, patch: Patch) -> DiffContent:
        """The files of all commits, in their order. Takes time. Raises DiffUnusable."""
        is_named = len(patch.commits) > 1
        files = [(file, one.id if is_named else "") for one in patch.commits for file in one.diff.files]
        return cls.of(Diff(files=tuple(file for file, _ in files)), [commit for _, commit in files])

    def rows(self, diff_id: str) -> list[dict[str, Any]]:
        return [
            {"diff_id": diff_id, "position": position, "content": content}
            for position, content in enumerate(self.files)
        ]


class CodeDiffs:
    """See the package's docstring. `principal`: the id of whoever asks. `tasks`: the store of the tasks."""

    def __init__(self, workspace: Workspace, tasks: Store) -> None:
        self._workspace = workspace
        self._tasks = tasks

    async def get(self, row_id: str, principal: str) -> CodeDiff:
        """Raises NotFound."""
        return await self._workspace.resource(CODE_DIFFS).get(row_id, principal)

    async def completed(self, row_id: str, principal: str) -> CodeDiff:
        """Raises NotFound, DiffNotReady."""
        await DIFF_TASKS.settle(self._workspace.database, self._tasks, CodeDiff.id == row_id)
        row = await self.get(row_id, principal)
        if row.status == DiffStatus.FAILED:
            raise DiffNotReady(Phrase("the diff could not be compared: {error}", error=row.error))
        if row.status != DiffStatus.COMPLETED:
            raise DiffNotReady("the diff is being compared: wait for its task")
        return row

    async def diff(self, row_id: str, principal: str) -> Diff:
        """All of it. Raises NotFound, DiffNotReady."""
        row = await self.completed(row_id, principal)
        return Diff(files=tuple([stored.file async for stored in self.all_files(row.id)]))

    async def files(self, row_id: str, first: int, limit: int) -> list[StoredFile]:
        """The files from this position on."""
        wanted = (CodeDiffFile.diff_id == row_id, CodeDiffFile.position >= first)
        query = select(CodeDiffFile.content).where(*wanted).order_by(CodeDiffFile.position).limit(limit)
        async with self._workspace.database.transaction() as session:
            contents = (await session.scalars(query)).all()
        return await anyio.to_thread.run_sync(lambda: [_inflated(content) for content in contents])

    async def all_files(self, row_id: str) -> AsyncIterator[StoredFile]:
        first = 0
        while batch := await self.files(row_id, first, _BATCH):
            for stored in batch:
                yield stored
            first += len(batch)

    async def lost(self, principal: str, values: Mapping[str, Any]) -> CodeDiff | None:
        """A diff of these values whose task was not stored: see TaskRows.lost."""
        same = [getattr(CodeDiff, name) == value for name, value in values.items()]
        mine = (CodeDiff.owner == principal, ~CodeDiff.is_deleted, DIFF_TASKS.lost(self._workspace.opened_at))
        async with self._workspace.database.transaction() as session:
            return await session.scalar(select(CodeDiff).where(*mine, *same).limit(1))

    async def assign(self, row_id: str, task: TaskVersion) -> None:
        """A task was stored for a new diff, unless it has begun meanwhile."""
        async with self._workspace.database.transaction() as session:
            await session.execute(
                _change(row_id, DIFF_TASKS.may_be_assigned(task.id)).values(DIFF_TASKS.at(task))
            )

    async def begin(self, row_id: str, task: TaskVersion, **values: Any) -> None:
        """The task works on the diff from now on."""
        running = {"status": DiffStatus.RUNNING.value, "error": None, "error_code": None}
        changed = _change(row_id, DIFF_TASKS.may_begin(task))
        async with self._workspace.database.transaction() as session:
            await session.execute(changed.values({**running, **values, **DIFF_TASKS.at(task)}))

    async def complete(self, row_id: str, task: TaskVersion, content: DiffContent, **values: Any) -> None:
        """Store the content in place of what there was, and these values of the row, at once, unless another
        task has begun."""
        rows = content.rows(row_id)
        done = {"status": DiffStatus.COMPLETED.value, "completed_at": now()}
        changed = _change(row_id, DIFF_TASKS.may_go_on(task)).values({**done, **values, **content.stats})
        async with self._workspace.database.transaction() as session:
            result: Any = await session.execute(changed)
            if not result.rowcount:
                return
            await session.execute(delete(CodeDiffFile).where(CodeDiffFile.diff_id == row_id))
            for first in range(0, len(rows), _BATCH):
                await session.execute(insert(CodeDiffFile), rows[first : first + _BATCH])


def _change(row_id: str, condition: ColumnElement[bool]) -> Update:
    """It is no change of the user's: the version stays."""
    changed = update(CodeDiff).where(CodeDiff.id == row_id, condition)
    return changed.values(updated_at=CodeDiff.updated_at).execution_options(synchronize_session=False)


def _inflated(content: bytes) -> StoredFile:
    return StoredFile.model_validate_json(zlib.decompress(content))
