"""The pipeline of `code_diff`: fetches what is missing, then compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gencode.diffs import DiffError, TreeDiffLimits, diff_commits, merge_base
from gencode.domain.errors import NotFound
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, Stage, StageUpdate
from gencode.pipelines.code_diff.messages import COMPARING, SYNCING, message
from gencode.workspace.code_diffs.errors import DiffUnusable
from gencode.workspace.code_diffs.store import CodeDiffs, DiffContent
from gencode.workspace.code_diffs.table import CodeDiff, CompareType
from gencode.workspace.repositories.clone import Clone
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.fetch_reports import reported_fetch
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.tables import now
from gencode.workspace.task_rows import TaskVersion

SYNCED, COMPARED = "synced", "compared"
"""Checkpoints."""
LIMITS = TreeDiffLimits(max_files=5000, max_bytes=32 * 2**20, max_lines=500_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffInput:
    diff_id: str
    principal: str
    task: TaskVersion
    is_synced: bool
    is_compared: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Commits:
    """`base`: from which the changes are; None for the empty tree."""

    source: str
    target: str
    base: str | None


class ComparesCode:
    """Implements Pipeline."""

    def __init__(self, diffs: CodeDiffs, clones: RepositoryClones, sync: RepositorySync) -> None:
        self._diffs = diffs
        self._clones = clones
        self._sync = sync

    @property
    def stages(self) -> Sequence[Stage]:
        return (
            Stage(name=SYNCING, run=self._fetch, applies=lambda given: not given.is_synced),
            Stage(name=COMPARING, run=self._compare, applies=lambda given: not given.is_compared),
        )

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> DiffInput:
        return DiffInput(
            diff_id=str(request["code_diff_id"]),
            principal=task.principal.id,
            task=TaskVersion.of(task),
            is_synced=SYNCED in checkpoints,
            is_compared=COMPARED in checkpoints,
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return message(task, status)

    async def _fetch(self, given: DiffInput, emit: Emit) -> DiffInput:
        row = await self._row(given)
        await self._diffs.begin(row.id, given.task, started_at=now(), completed_at=None)
        if row.syncs:
            async with reported_fetch(emit) as progress:
                await self._sync.sync(_repository(row), given.principal, given.task, progress)
        await self._ensure(row, given, emit)
        await emit(StageUpdate(checkpoints={SYNCED: "{}"}))
        return given

    async def _compare(self, given: DiffInput, emit: Emit) -> DiffInput:
        row = await self._row(given)
        await self._diffs.begin(row.id, given.task)
        await self._ensure(row, given, emit)  # a restart may be in another process, which has no clone
        async with self._clones.open(_repository(row), given.principal) as clone:
            commits, content = await clone.call(_compared, clone, row)
        found = {"source_commit": commits.source, "base_commit": commits.base}
        await self._diffs.complete(row.id, given.task, content, **found, target_commit=commits.target)
        told = {**content.stats, **found}
        await emit(StageUpdate(kind=COMPARED, data=told, result=told, checkpoints={COMPARED: "{}"}))
        return given

    async def _row(self, given: DiffInput) -> CodeDiff:
        try:
            return await self._diffs.get(given.diff_id, given.principal)
        except NotFound:
            raise DiffUnusable("the diff was deleted meanwhile") from None

    async def _ensure(self, row: CodeDiff, given: DiffInput, emit: Emit) -> None:
        refs = (row.source_ref or "", row.target_ref or "")
        async with reported_fetch(emit) as progress:
            await self._sync.ensure(_repository(row), given.principal, given.task, progress, refs=refs)


def _repository(row: CodeDiff) -> str:
    """Raises DiffUnusable."""
    if row.repository_id is None:
        raise DiffUnusable("an uploaded patch has no repository to compare in")
    return row.repository_id


def _compared(clone: Clone, row: CodeDiff) -> tuple[_Commits, DiffContent]:
    """Raises RefUnknown, DiffUnusable."""
    source, target = clone.resolve(row.source_ref or ""), clone.resolve(row.target_ref or "")
    try:
        base: str | None = target
        if row.compare_type == CompareType.BRANCH:
            base = merge_base(clone.repository, target, source)
        diff = diff_commits(clone.repository, base, source, LIMITS)
    except DiffError as error:
        raise DiffUnusable(error.message) from None
    return _Commits(source=source, target=target, base=base), DiffContent.of(diff)
