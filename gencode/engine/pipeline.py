"""The seam between the engine and what it runs: stages over artifacts.

The engine knows a pipeline by its `kind`, runs its stages in order, and stores what they send. It never
looks inside an artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gencode.domain.task import Status, Task

Artifact = Any
"""Frozen data that one stage returns and the next one takes; its type is the pipeline's own affair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageUpdate:
    """What a stage sends while it works.

    kind    event name, or "" for nothing to tell
    data    JSON for subscribers
    keep    named parts (JSON text) that must survive a crash: stored with the event in one transaction
    result  fields merged into the task's result (such as `repo_url`)
    live    shown to those who listen now, never stored (token deltas)
    digest  of what the task is made from, by which others find it (see Task.digest); "" leaves it
    """

    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False
    digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """What a stage returns in place of an artifact when it cannot go on without a person's word.

    The run ends there, and the task keeps its status and gives up its place: it costs nothing while it
    waits, also through restarts. Approving it keeps what the word was (see `Change`) and starts another
    run, in which the stage is called again; so a stage that holds must see from a kept part that it was
    approved. Without a word in time the task fails with APPROVAL_EXPIRED; a retry then calls the stage, which
    may hold again.

    message   what to tell people, in the task's language
    seconds   how long to wait, by the wall clock
    """

    message: str
    seconds: float


Decision = Callable[[Mapping[str, str]], StageUpdate]
"""What a person's word does to a held task: from the parts kept so far to what is told and kept, in one
transaction. Raises GencodeError to refuse the word; nothing has happened then."""


class Emit(Protocol):
    """How a stage tells and keeps. What is sent in one call is committed in one transaction."""

    async def __call__(self, *progress: StageUpdate) -> None:
        """Returns once it is committed (a live one: handed to the hub). Safe to call concurrently."""
        ...


class Stage(Protocol):
    """One step. Repeatable: called again with a restored artifact it does only what is still missing."""

    @property
    def status(self) -> Status:
        """What the task is said to be doing meanwhile."""
        ...

    async def __call__(self, artifact: Artifact, send: Emit, /) -> Artifact | Pause:
        """Raises GencodeError to fail the task; anything else counts as a bug and fails it as INTERNAL."""
        ...


class Pipeline(Protocol):
    """A kind of task. `restore` is its whole memory: all else is passed by value."""

    @property
    def kind(self) -> str: ...

    @property
    def stages(self) -> Sequence[Stage]: ...

    def restore(self, task: Task, checkpoints: Mapping[str, str]) -> Artifact:
        """The artifact that the stage of `task.status` takes, from the request and every part kept so far."""
        ...

    def message(self, task: Task, status: Status) -> str:
        """What to tell a person on entering a status, in the task's language."""
        ...
