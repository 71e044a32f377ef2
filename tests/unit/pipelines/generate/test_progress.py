"""The progress of a generate task, by its state and stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gencode.domain.task import State
from gencode.llm.progress_tracker import ProgressRegistry, ProgressSnapshot
from gencode.pipelines.generate.progress import task_progress
from tests.unit.storage.samples import a_task

RUNNING = a_task(state=State.RUNNING, stage="generating")


def test_the_writing_is_measured() -> None:
    registry = ProgressRegistry()
    assert task_progress(registry, RUNNING) == ProgressSnapshot()
    tracker = registry.begin(RUNNING.id)
    tracker.planned({"a": 50, "b": 50}, 2)
    tracker.file_finished("a", 1000)
    assert task_progress(registry, RUNNING).percent == 47


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": State.QUEUED, "stage": ""}, ProgressSnapshot()),
        ({"stage": "merging_files"}, ProgressSnapshot(percent=95)),
        ({"stage": "creating_repo"}, ProgressSnapshot(percent=97)),
        ({"stage": "pushing"}, ProgressSnapshot(percent=98)),
        ({"state": State.SUCCEEDED, "stage": "pushing"}, ProgressSnapshot(percent=100, seconds_left=0)),
        ({"state": State.FAILED}, ProgressSnapshot()),
        ({"state": State.CANCELLED}, ProgressSnapshot()),
        ({"state": State.PAUSED, "paused_until": datetime(2026, 1, 1, tzinfo=UTC)}, ProgressSnapshot()),
        ({"stage": "dreaming"}, ProgressSnapshot()),
    ],
)
def test_afterwards_it_follows_from_the_stage(fields: dict[str, Any], expected: ProgressSnapshot) -> None:
    assert task_progress(ProgressRegistry(), replace(RUNNING, **fields)) == expected
