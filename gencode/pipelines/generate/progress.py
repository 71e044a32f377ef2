"""The progress of a task: measured while the model writes, then determined by the stage."""

from __future__ import annotations

from dataclasses import replace

from gencode.domain.task import State, Task
from gencode.llm.progress_tracker import WRITTEN_PERCENT, ProgressRegistry, ProgressSnapshot
from gencode.pipelines.generate.stage_names import CREATING_REPO, GENERATING, MERGING, PUSHING

_PERCENT = {MERGING: WRITTEN_PERCENT, CREATING_REPO: 97, PUSHING: 98}
"""The percentage at the beginning of a stage."""


def task_progress(registry: ProgressRegistry, task: Task) -> ProgressSnapshot:
    """The progress: 100 percent only for a completed task, unknown for a waiting one."""
    if task.state is State.SUCCEEDED:
        return ProgressSnapshot(percent=100, seconds_left=0)
    if task.is_idle or not task.stage:
        return ProgressSnapshot()
    snapshot = registry.running(task.id) or ProgressSnapshot()
    if task.stage == GENERATING:
        return snapshot
    return replace(snapshot, percent=_PERCENT.get(task.stage), seconds_left=None)
