"""The fields of a task's JSON that only this kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.pipelines.test_generation.results import Verification

_FIELDS = (
    "tests",
    "test_files",
    "discarded_tests",
    "verification",
    "verification_reason",
    "branch",
    "commit",
)


class TestGenerationFields(BaseModel):
    """Known when the task has completed."""

    __test__ = False

    model: str | None = None
    tests: int | None = Field(None, description="Tests that are delivered")
    test_files: int | None = None
    discarded_tests: int | None = None
    verification: Verification | None = None
    verification_reason: str | None = Field(
        None, description="Why tests are unverified; empty if they are not"
    )
    branch: str | None = Field(None, description="With `deliver: branch`: where the tests are")
    commit: str | None = None


def task_fields(task: Task) -> Mapping[str, Any]:
    return {"model": task.parameters.get("model"), **{name: task.result.get(name) for name in _FIELDS}}


def notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return {name: task.result.get(name) for name in _FIELDS}


def label(task: Task) -> str:
    return f"Tests of {task.parameters.get('sources', 0)} files"
