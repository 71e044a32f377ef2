"""The pipeline of `sync_repository`: one stage, which a restart repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import anyio

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, Stage, StageUpdate
from gencode.githosts.fetch.limits import FetchProgress
from gencode.pipelines.sync_repository.messages import SYNCING, message
from gencode.workspace.repositories.sync import RepositorySync

SYNCED = "synced"
"""The checkpoint of a sync that is over."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two events about a download: each pause is twice the one before, since they are stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncInput:
    repository_id: str
    principal: str
    task_id: str
    is_synced: bool


class SyncRepository:
    """Implements Pipeline."""

    def __init__(self, sync: RepositorySync) -> None:
        self._sync = sync

    @property
    def stages(self) -> Sequence[Stage]:
        return (Stage(name=SYNCING, run=self._run, applies=lambda given: not given.is_synced),)

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> SyncInput:
        return SyncInput(
            repository_id=str(request["repository_id"]),
            principal=task.principal.id,
            task_id=task.id,
            is_synced=SYNCED in checkpoints,
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return message(task, status)

    async def _run(self, given: SyncInput, emit: Emit) -> SyncInput:
        progress = FetchProgress()
        async with anyio.create_task_group() as group:
            group.start_soon(_report, progress, emit)
            synced = await self._sync.sync(given.repository_id, given.principal, given.task_id, progress)
            group.cancel_scope.cancel()
        found = asdict(synced)
        await emit(StageUpdate(kind="synced", data=found, result=found, checkpoints={SYNCED: "{}"}))
        return given


async def _report(progress: FetchProgress, emit: Emit) -> None:
    """Tells how far a long download is."""
    pause, told = FIRST_PAUSE, FetchProgress()
    while True:
        await anyio.sleep(pause)
        if progress != told:
            told = replace(progress)
            await emit(StageUpdate(kind="fetch_progress", data=asdict(told)))
        pause = min(2 * pause, LONGEST_PAUSE)
