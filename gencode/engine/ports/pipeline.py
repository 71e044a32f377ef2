"""The port to pipelines: the named stages of a kind of task, and what they emit.

The engine selects a pipeline by the task's kind, runs its stages in order and stores what they emit. It
never reads an artifact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gencode.domain.task import State, Task

Artifact = Any
"""Frozen data that one stage returns and the next one takes; its type is the pipeline's own."""

Checkpoints = Mapping[str, str]
"""JSON texts by name, in the order in which the names were first stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageUpdate:
    """What a stage emits while it works.

    kind         event name; "" for no event
    data         the event's data (JSON)
    checkpoints  JSON texts by name that must survive a crash: stored with the event in one transaction
    is_progress  whether the checkpoints are progress, which resets the count of crashes
    result       fields to merge into the task's result, such as `repo_url`
    live         delivered to present subscribers only, never stored (token deltas)
    cache_key    sets the task's; "" leaves it
    """

    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    is_progress: bool = True
    result: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False
    cache_key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """What a stage returns in place of an artifact if a user must decide first.

    The run ends; the task uses no worker until `TaskService.approve` stores a decision and queues it again.
    Then the stage is called again: it must see from a checkpoint that it was approved. Without a decision in
    time the task fails with APPROVAL_EXPIRED; a retry calls the stage, which may pause again.

    message   shown to users, in the task's language
    seconds   how long to wait, by the wall clock
    data      further fields of the `approval` event (JSON)
    """

    message: str
    seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)


Decision = Callable[[Checkpoints], StageUpdate]
"""A user's decision on a paused task: from the checkpoints so far to the update that is stored.

Raises GencodeError to refuse the decision; nothing is stored then."""


class Emit(Protocol):
    """How a stage reports. Updates emitted in one call are committed in one transaction."""

    async def __call__(self, *updates: StageUpdate) -> None:
        """Returns once they are committed (live ones: given to the hub). Safe to call concurrently.

        They are committed even if the run is cancelled meanwhile, because their model calls are paid for.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step of a pipeline.

    name      unique within the pipeline; the task's public status while the stage runs
    run       from the artifact of the stage before to its own, or a Pause. It may be called again with a
              restored artifact and must do only what is still missing. A GencodeError fails the task; any
              other exception is a bug and fails it as INTERNAL
    applies   whether a task with this artifact runs the stage; a skipped stage has no event
    """

    name: str
    run: Callable[[Any, Emit], Awaitable[Artifact | Pause]]
    applies: Callable[[Any], bool] = lambda artifact: True


class Pipeline(Protocol):
    """The stages of a kind of task. Stateless: artifacts are passed by value, and `restore` recreates them
    from the request and the checkpoints."""

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages, in the order in which a task runs them."""
        ...

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Artifact:
        """The artifact that the stage `task.stage` takes (the first stage's, if that is "").

        `request` is the accepted request with the task's current parameters.
        """
        ...

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        """Stored in one commit with the failure or the cancellation of a task that is not running: for
        example the usage of a killed process, which could not report it."""
        ...

    def message(self, task: Task, status: str) -> str:
        """The message to users when the task's public status becomes `status`, in the task's language."""
        ...


Pipelines = Mapping[str, Pipeline]
"""Pipelines by kind."""


def can_run(pipelines: Pipelines, task: Task) -> bool:
    """Whether this process knows the task's kind, state and stage. Other tasks are shown, but neither queued
    nor changed."""
    pipeline = pipelines.get(task.kind)
    if pipeline is None or task.state is State.UNKNOWN:
        return False
    return not task.stage or any(stage.name == task.stage for stage in pipeline.stages)
