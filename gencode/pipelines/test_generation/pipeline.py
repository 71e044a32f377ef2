"""The pipeline: its stages, and how a task is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.test_generation.artifacts import (
    Collected,
    Delivery,
    Given,
    Place,
    Targets,
    Written,
    WrittenFiles,
)
from gencode.pipelines.test_generation.collecting import Collecting
from gencode.pipelines.test_generation.messages import message
from gencode.pipelines.test_generation.names import (
    COLLECTING,
    PUSHING,
    SOURCES,
    TARGETS,
    TESTS,
    VERIFYING,
    WRITING,
    WRITTEN,
)
from gencode.pipelines.test_generation.pushing_branch import PushingBranch, Verified, is_for_a_branch
from gencode.pipelines.test_generation.results import TestsView
from gencode.pipelines.test_generation.sources import Sources
from gencode.pipelines.test_generation.verifying_tests import VerifyingTests
from gencode.pipelines.test_generation.writing_tests import WritingTests


class TestGeneration:
    """Implements Pipeline."""

    __test__ = False

    def __init__(
        self,
        collecting: Collecting,
        writing: WritingTests,
        verifying: VerifyingTests,
        pushing: PushingBranch,
        price: FindPrice,
        *,
        is_off: bool,
    ) -> None:
        """`is_off`: whether the sandbox is."""
        self._stages = (
            Stage(name=COLLECTING, run=collecting),
            Stage(name=WRITING, run=writing),
            Stage(name=VERIFYING, run=verifying),
            Stage(name=PUSHING, run=pushing, applies=is_for_a_branch),
        )
        self._price = price
        self._is_off = is_off

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints
    ) -> Collected | Written | Verified:
        work = Collected(
            run=ModelRun.of(task, request, checkpoints), given=_given(task, request, checkpoints)
        )
        if TARGETS in checkpoints:
            targets = Targets.model_validate_json(checkpoints[TARGETS])
            work = Collected(run=work.run, given=work.given, targets=targets)
        if task.stage == VERIFYING and WRITTEN in checkpoints:
            written = WrittenFiles.model_validate_json(checkpoints[WRITTEN])
            return Written(collected=work, files=written.files)
        if task.stage == PUSHING and TESTS in checkpoints:
            return Verified(collected=work, view=TestsView.model_validate_json(checkpoints[TESTS]))
        return work

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        return message(task, status, self._is_off)


def _given(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Given:
    given = Given(
        files={file["path"]: file["text"] for file in request.get("files") or ()},
        patch=request.get("patch"),
        place=_place(request),
        code_diff_id=request.get("code_diff_id"),
        functions=request.get("functions") or (),
        framework=request.get("framework"),
        requirements={one["id"]: one.get("text", "") for one in request.get("requirements") or ()},
        delivery=_delivery(task, request),
    )
    if SOURCES not in checkpoints:
        return given
    return Sources.model_validate_json(checkpoints[SOURCES]).within(given)


def _delivery(task: Task, request: Mapping[str, Any]) -> Delivery | None:
    if request.get("deliver") != "branch":
        return None
    return Delivery(branch=request.get("branch") or f"gencode-tests-{task.id[-8:]}", at=task.created_at)


def _place(request: Mapping[str, Any]) -> Place | None:
    if not request.get("repository_id"):
        return None
    return Place(
        repository_id=str(request["repository_id"]), base=str(request["base"]), head=str(request["head"])
    )
