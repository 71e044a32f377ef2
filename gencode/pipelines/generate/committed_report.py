"""The report as a file of the commit: what became of the task up to the moment at which it was made."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.pipeline import StageUpdate
from gencode.engine.store import Store, TaskQuery
from gencode.pipelines.generate.artifacts import KeptSnapshot
from gencode.pipelines.generate.checkpoints import Checkpoints
from gencode.pipelines.generate.report import report


class Reporter:
    """Reads the task's log. Made again, a report may differ in its times and counts of runs: it is kept with
    the snapshot, and from then on the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, task_id: str, snapshot: KeptSnapshot, told: Sequence[StageUpdate]) -> str:
        """JSON. `snapshot`: the commit as it will be but for the report; `told`: the next events."""
        (task,) = await self._store.find(TaskQuery(id=task_id, limit=1))
        events = await self._store.events(task_id)
        ids = range(len(events) + 1, len(events) + 1 + len(told))
        more = [
            Event(task_id=task_id, id=id_, kind=progress.kind, data=progress.data)
            for id_, progress in zip(ids, told, strict=True)
        ]
        checkpoints = await self._store.checkpoints(task_id)
        return await anyio.to_thread.run_sync(_text, task, [*events, *more], checkpoints, snapshot)


def _text(task: Task, events: Sequence[Event], checkpoints: Checkpoints, snapshot: KeptSnapshot) -> str:
    """In a thread: what is kept may be 32 MiB."""
    checkpoints = {**checkpoints, "snapshot": snapshot.model_dump_json()}
    return report(task, events, checkpoints).model_dump_json(indent=2) + "\n"
