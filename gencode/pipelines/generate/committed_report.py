"""The report as a file of the commit: the state of the task when the commit is made."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import StageUpdate
from gencode.engine.ports.store import Store, TaskQuery
from gencode.pipelines.generate.commit_checkpoint import SNAPSHOT, CommitContent, commit_checkpoint
from gencode.pipelines.generate.report import report

REPORT = ".gencode/report.json"
"""The path of the report in a commit, if the request includes it."""


class Reporter:
    """Makes the report from the task's log. A later report may differ in its times and counts of runs, so
    the text is stored with the commit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, task_id: str, commit: CommitContent, updates: Sequence[StageUpdate]) -> str:
        """JSON. `commit`: the commit without the report; `updates`: the next events."""
        (task,) = await self._store.find(TaskQuery(id=task_id, limit=1))
        events = await self._store.events(task_id)
        ids = range(len(events) + 1, len(events) + 1 + len(updates))
        more = [
            Event(task_id=task_id, id=id_, kind=update.kind, data=update.data)
            for id_, update in zip(ids, updates, strict=True)
        ]
        checkpoints = await self._store.checkpoints(task_id)
        return await anyio.to_thread.run_sync(_text, task, [*events, *more], checkpoints, commit)


def _text(task: Task, events: Sequence[Event], checkpoints: Checkpoints, commit: CommitContent) -> str:
    """Called in a thread: the checkpoints may have 32 MiB."""
    checkpoints = {**checkpoints, SNAPSHOT: commit_checkpoint(commit, {})}
    return report(task, events, checkpoints).model_dump_json(indent=2) + "\n"
