"""A task: one accepted request. The engine defines its states, the pipeline of its kind its stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gencode.domain.errors import RetryHelps
from gencode.domain.principal import Principal


class State(StrEnum):
    """The lifecycle of a task, as the engine knows it."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    """Waits for a user's decision and uses no worker; see `Task.paused_until`."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """Stored by a newer version: such a task is shown, but neither queued nor changed."""

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
UNFINISHED = frozenset({State.QUEUED, State.RUNNING, State.PAUSED})

_NEXT: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.RUNNING, State.PAUSED, *TERMINAL}),
    State.PAUSED: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.FAILED: frozenset({State.QUEUED}),
}

PENDING = "pending"
"""The public status of a task that has not entered its first stage."""
_FINAL_STATUS = {State.SUCCEEDED: "completed", State.FAILED: "failed", State.CANCELLED: "cancelled"}
FINAL_STATUSES = tuple(_FINAL_STATUS.values())


class IllegalTransition(ValueError):
    """A bug: the requested state cannot follow the current one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a task failed, as its principal reads it.

    retryable     whether submitting the same request again later can succeed
    stage         where; "" before the first one
    retry_helps   when a retry of the task can succeed, see gencode.domain.errors.RetryHelps
    retry_fields  the fields of a retry's request whose other values can help
    """

    code: str
    message: str
    retryable: bool
    stage: str = ""
    retry_helps: str = RetryHelps.AFTER_CHANGE.value
    retry_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """The changing row of a task. The request it was accepted with is immutable and stored apart.

    kind          names the registered kind, which defines the stages
    parameters    the request's short fields (JSON): what lists show, and what a retry may change. Long
                  texts such as a prompt are in the request only
    stage         name of the stage that was entered last; "" before the first
    result        what is known of the outcome so far (JSON), such as `repo_url`
    paused_until  when a paused task fails, unless it is decided before
    attempts      starts since the last checkpoint was stored; bounds crash loops
    sequence      id of the newest event in the task's log
    version       counts commits: a commit of a stale copy raises Conflict
    retries       by the code of a failure, how often the task was retried after it
    trace         W3C traceparent of the request that made it; every run continues that trace
    cache_key     digest of all that shapes the result: tasks of equal keys have equal results
    owner         name of the worker that runs it; "" if none does, or where one process does everything
    """

    id: str
    kind: str
    principal: Principal
    created_at: datetime
    updated_at: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en"
    state: State = State.QUEUED
    stage: str = ""
    message: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    paused_until: datetime | None = None
    attempts: int = 0
    sequence: int = 0
    version: int = 0
    retries: Mapping[str, int] = field(default_factory=dict)
    trace: str = ""
    cache_key: str = ""
    owner: str = ""

    @property
    def status(self) -> str:
        """The public status: `pending`, then the stage's name, then `completed`, `failed` or `cancelled`."""
        return _FINAL_STATUS.get(self.state) or self.stage or PENDING

    @property
    def is_idle(self) -> bool:
        """Whether no worker has anything to do for it: it is over, or paused."""
        return self.state.is_terminal or self.state is State.PAUSED


def transition(
    task: Task, state: State, message: str | None = None, stage: str | None = None, only: State | None = None
) -> Task:
    """The task in another state. Raises IllegalTransition.

    `message` and `stage`: None leaves them. `only`: the one state from which the step is legal. A failure,
    the end of a pause and the owner of a run are cleared when their state ends.
    """
    if state not in _NEXT.get(task.state, ()) or only not in (None, task.state):
        raise IllegalTransition(f"{task.state} -> {state}")
    return replace(
        task,
        state=state,
        stage=task.stage if stage is None else stage,
        message=task.message if message is None else message,
        failure=None,
        paused_until=None,
        owner=task.owner if state is State.RUNNING else "",
        updated_at=now(),
    )


def start(task: Task, owner: str = "") -> Task:
    """A worker begins a run; counted before it begins, so that a crash is counted too."""
    started = transition(task, State.RUNNING)
    return replace(started, attempts=task.attempts + 1, updated_at=task.updated_at, owner=owner)


def release(task: Task) -> Task:
    """The process stops gracefully: the run does not count as a crash, and the task waits for the next
    process."""
    return replace(transition(task, State.QUEUED, only=State.RUNNING), attempts=0, updated_at=task.updated_at)


def fail(task: Task, failure: Failure) -> Task:
    """`failure.stage` is set to the task's own."""
    failed = transition(task, State.FAILED, failure.message)
    return replace(failed, failure=replace(failure, stage=task.stage))


def pause(task: Task, until: datetime, message: str) -> Task:
    """The run ends; an interruption from now on does not count as a crash."""
    return replace(transition(task, State.PAUSED, message), paused_until=until, attempts=0)


def resume(task: Task, message: str) -> Task:
    """A user has decided; the task is queued again, in its stage."""
    return replace(transition(task, State.QUEUED, message, only=State.PAUSED), attempts=0)


def retry(task: Task, message: str, changes: Mapping[str, Any]) -> Task:
    """A failed task goes back to the queue, in the stage where it failed. `changes`: to its parameters."""
    code = task.failure.code if task.failure else ""
    stage = task.failure.stage if task.failure else task.stage
    retries = {**task.retries, code: task.retries.get(code, 0) + 1}
    retried = transition(task, State.QUEUED, message, stage, only=State.FAILED)
    return replace(retried, attempts=0, retries=retries, parameters={**task.parameters, **changes})


def now() -> datetime:
    """The current time in UTC, to the millisecond, as it is stored and shown."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def rfc3339(at: datetime) -> str:
    """The time as events and responses show it: RFC 3339 with milliseconds and Z. `at` is in UTC."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
