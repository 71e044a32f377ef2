"""The report as a file of the commit: what became of the task up to the moment at which it was made."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from gencode.event import Event
from gencode.pipeline import Progress
from gencode.pipelines.generate.artifacts import KeptSnapshot
from gencode.pipelines.generate.kept import Kept
from gencode.pipelines.generate.report import report
from gencode.store import Query, Store
from gencode.task import Task


class Reporter:
    """Reads the task's log. Made again, a report may differ in its times and counts of runs: it is kept with
    the snapshot, and from then on the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, task_id: str, snapshot: KeptSnapshot, told: Sequence[Progress]) -> str:
        """JSON. `snapshot`: the commit as it will be but for the report; `told`: the next events."""
        (task,) = await self._store.find(Query(id=task_id, limit=1))
        events = await self._store.events(task_id)
        ids = range(len(events) + 1, len(events) + 1 + len(told))
        more = [
            Event(task_id=task_id, id=id_, kind=progress.kind, data=progress.data)
            for id_, progress in zip(ids, told, strict=True)
        ]
        kept = await self._store.kept(task_id)
        return await anyio.to_thread.run_sync(_text, task, [*events, *more], kept, snapshot)


def _text(task: Task, events: Sequence[Event], kept: Kept, snapshot: KeptSnapshot) -> str:
    """In a thread: what is kept may be 32 MiB."""
    kept = {**kept, "snapshot": snapshot.model_dump_json()}
    return report(task, events, kept).model_dump_json(indent=2) + "\n"
