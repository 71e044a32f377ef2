"""The pipeline of `sync_repository`: one stage, which a restart repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Emit, Stage, StageUpdate
from gencode.pipelines.sync_repository.messages import SYNCING, message
from gencode.workspace.repositories.fetch_reports import reported_fetch
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.task_rows import TaskVersion

SYNCED = "synced"
"""The checkpoint of a sync that is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncInput:
    repository_id: str
    principal: str
    task: TaskVersion
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
            task=TaskVersion.of(task),
            is_synced=SYNCED in checkpoints,
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return ()

    def message(self, task: Task, status: str) -> str:
        return message(task, status)

    async def _run(self, given: SyncInput, emit: Emit) -> SyncInput:
        async with reported_fetch(emit) as progress:
            synced = await self._sync.sync(given.repository_id, given.principal, given.task, progress)
        found = asdict(synced)
        await emit(StageUpdate(kind="synced", data=found, result=found, checkpoints={SYNCED: "{}"}))
        return given
