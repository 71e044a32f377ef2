"""The declaration of a kind of task, and the registry by which HTTP, MCP and notifications serve every kind.

A kind has two halves. `Kind` is declared when the program is loaded: names, texts, models and operations,
from which routes and the OpenAPI document are generated. `KindRuntime` is created when the service starts,
from the dependencies that the composition root passes: the pipeline, and functions that render tasks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from gencode.domain.errors import GencodeError, UnknownKind
from gencode.domain.event import Event
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal
from gencode.domain.task import FINAL_STATUSES, PENDING, State, Task
from gencode.engine.ports.pipeline import Decision, Pipeline, StageUpdate
from gencode.http.base_models import EmptyRetryRequest, TaskRequest
from gencode.http.generation_limits import Reservation
from gencode.http.operation import Operation
from gencode.http.tool_declaration import Tool
from gencode.llm.progress_tracker import ProgressSnapshot

Texts = Mapping[str, str]
"""One text in several languages: {"en": ..., "zh": ...}."""
LANGUAGES = ("en", "zh")
APPROVED = "approved"
"""Name of the checkpoint that every approval stores: a task that has it was approved already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitter:
    """Who submits a task, and the language of its messages."""

    principal: Principal
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedTask:
    """A validated submission as it is stored.

    request     the immutable request (JSON)
    parameters  its short fields: what views show and what a retry may change. No long texts
    message     the task's first status message
    may_pause   whether the task may wait for a decision, which counts against its principal's limit
    reservation  counts the task as a generation; see gencode.http.generation_limits
    """

    request: Mapping[str, Any]
    parameters: Mapping[str, Any]
    message: str
    may_pause: bool = False
    reservation: Reservation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """The POST route below /api/v1 by which tasks of a kind are submitted, and the MCP tool that does the
    same.

    operation_id      of the OpenAPI document, and the tool's name
    pattern_messages  see gencode.http.strict_json.validate
    tool_description  what the tool does, for assistants
    errors            besides those of every submission
    """

    path: str
    operation_id: str
    summary: str
    pattern_messages: Mapping[str, str] = field(default_factory=dict)
    tool_title: str
    tool_description: str
    errors: tuple[type[GencodeError], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """The declaration of a kind.

    name             Task.kind
    title            what the kind does, in a few words
    stage_titles     by stage name, in the order of the pipeline
    view_model       its own fields of a task's JSON; each needs a default, since other kinds lack them
    retry_model      what a retry may change
    approval_errors  errors of its approval besides the engine's
    errors           error classes that its tasks can fail with
    error_advice     by error code: what the user can do
    event_names      of the events that its stages emit
    milestones       stages that are reported in chats when they begin; Slack takes five messages for a
                     command
    operations       its own routes below /api/v1
    """

    name: str
    title: Texts
    stage_titles: Mapping[str, Texts]
    request_model: type[TaskRequest]
    submission: Submission
    view_model: type[BaseModel] | None = None
    retry_model: type[BaseModel] = EmptyRetryRequest
    approval_errors: tuple[type[GencodeError], ...] = ()
    errors: Sequence[type[GencodeError]] = ()
    error_advice: Mapping[str, Texts] = field(default_factory=dict)
    event_names: Sequence[str] = ()
    milestones: Sequence[str] = ()
    operations: Sequence[Operation] = ()


def approve_unconditionally(task: Task, if_match: str | None) -> Decision:
    """The decision that approves a task of a kind without checks: it only stores the approval."""
    return lambda checkpoints: StageUpdate(checkpoints={APPROVED: "{}"})


def changed_fields(task: Task, retry: Any) -> Mapping[str, Any]:
    """Changes of a task's parameters: the fields that the request of the retry has."""
    changes: Mapping[str, Any] = retry.model_dump(mode="json", exclude_unset=True)
    return changes


@dataclass(frozen=True, kw_only=True, eq=False)
class KindRuntime:
    """A kind while the service runs.

    prepare               from a validated request_model and its submitter to what is stored; raises
                          RequestError
    view                  the fields of view_model; it must not fail for any parameters and result
    label                 one short text that names a task in chats and lists
    result_url            where the result of a completed task is
    notification_fields   its own fields of a webhook's `data`
    progress              measured progress; None: the share of stages that are done
    live_progress         by task id: measured while the task's stage runs, else None
    submitted             from the stored request to the body that submits it again; fields that request_model
                          lacks, and the callback, are left out of it afterwards
    retry_changes         from a failed task and a validated retry_model to changes of the task's parameters;
                          raises RequestError
    may_pause             whether a failed task without an approval may pause when it is retried
    calls_model           whether a failed task may call a model when it is retried: quotas then apply
    approve               from a paused task and the If-Match header to the decision that approves it
    tools                 MCP tools besides the generic ones
    services              what its own operations need; see gencode.http.dependencies.get_extension
    """

    pipeline: Pipeline
    prepare: Callable[[Any, Submitter], Awaitable[PreparedTask]]
    view: Callable[[Task], Mapping[str, Any]] = lambda task: {}
    label: Callable[[Task], str] = lambda task: task.id
    result_url: Callable[[Task], str | None] = lambda task: None
    notification_fields: Callable[[Task, Event], Mapping[str, Any]] = lambda task, event: {}
    progress: Callable[[Task], ProgressSnapshot] | None = None
    live_progress: Callable[[str], ProgressSnapshot | None] = lambda task_id: None
    submitted: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda stored: stored
    retry_changes: Callable[[Task, Any], Mapping[str, Any]] = changed_fields
    may_pause: Callable[[Task], bool] = lambda task: False
    calls_model: Callable[[Task], bool] = lambda task: True
    approve: Callable[[Task, str | None], Decision] = approve_unconditionally
    tools: Sequence[Tool] = ()
    services: object = None


class KindRegistry:
    """The declared kinds. Raises ValueError for two kinds with the same name."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        if len(self._kinds) != len(kinds):
            raise ValueError("two kinds have the same name")

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def get(self, name: str) -> Kind | None:
        return self._kinds.get(name)

    @cached_property
    def statuses(self) -> tuple[str, ...]:
        """The public statuses of all kinds, in order."""
        stages = (stage for kind in self for stage in kind.stage_titles)
        return tuple(dict.fromkeys((PENDING, *stages, *FINAL_STATUSES)))

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for kind in self for operation in kind.operations)


class ActiveKinds:
    """The kinds while the service runs. Tasks of unknown kinds have views, labels and no progress.

    Raises ValueError when a pipeline has other stages than its kind declares.
    """

    def __init__(self, registry: KindRegistry, runtimes: Mapping[str, KindRuntime]) -> None:
        self.registry = registry
        self._runtimes = dict(runtimes)
        for kind in registry:
            stages = [stage.name for stage in self._runtimes[kind.name].pipeline.stages]
            if stages != list(kind.stage_titles):
                raise ValueError(f"{kind.name} declares other stages than its pipeline has: {stages}")

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        return {name: runtime.pipeline for name, runtime in self._runtimes.items()}

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(tool for runtime in self._runtimes.values() for tool in runtime.tools)

    def get(self, name: str) -> KindRuntime | None:
        return self._runtimes.get(name)

    def require(self, task: Task) -> KindRuntime:
        """The runtime of the task's kind. Raises UnknownKind."""
        if runtime := self._runtimes.get(task.kind):
            return runtime
        raise UnknownKind(
            Phrase(
                "this service does not know tasks of kind {kind!r}: they are shown and left alone",
                kind=task.kind[:100],
            )
        )

    @property
    def services(self) -> tuple[object, ...]:
        return tuple(runtime.services for runtime in self._runtimes.values() if runtime.services)

    def submitted(self, task: Task, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The body that submits the task's request again, without a callback: its address may hold a secret.
        `stored`: the stored request. Raises UnknownKind."""
        body, kind = self.require(task).submitted(stored), self.registry.get(task.kind)
        fields = kind.request_model.model_fields.keys() - {"callback_url"} if kind else ()
        return {name: value for name, value in body.items() if name in fields}

    def view(self, task: Task) -> Mapping[str, Any]:
        runtime = self.get(task.kind)
        return runtime.view(task) if runtime else {}

    def label(self, task: Task) -> str:
        runtime = self.get(task.kind)
        return runtime.label(task) if runtime else task.id

    def result_url(self, task: Task) -> str | None:
        runtime = self.get(task.kind)
        return runtime.result_url(task) if runtime else None

    def is_milestone(self, task: Task, status: str) -> bool:
        """Whether chat replies report this status of the task."""
        kind = self.registry.get(task.kind)
        return status in FINAL_STATUSES or (kind is not None and status in kind.milestones)

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        runtime = self.get(task.kind)
        return runtime.notification_fields(task, event) if runtime else {}

    def progress(self, task: Task) -> ProgressSnapshot:
        runtime = self.get(task.kind)
        if runtime and runtime.progress:
            return runtime.progress(task)
        return _share_of_stages(
            task, list(kind.stage_titles) if (kind := self.registry.get(task.kind)) else []
        )

    def messages(self, task: Task) -> Mapping[str, str] | None:
        """The message of the task's status by language; None of a failed or paused task, and of an unknown
        kind or status."""
        runtime, kind = self.get(task.kind), self.registry.get(task.kind)
        if not runtime or not kind or task.failure or task.paused_until:
            return None
        if task.status not in (PENDING, *kind.stage_titles, *FINAL_STATUSES):
            return None
        message, status = runtime.pipeline.message, task.status
        return {language: message(replace(task, language=language), status) for language in LANGUAGES}

    def first_message(self, task: Task) -> str:
        """The message of the task's first status, regardless of its present status."""
        new = replace(task, result={}) if task.result else task
        return self.require(task).pipeline.message(new, PENDING)

    def live_progress(self, task: Task) -> ProgressSnapshot | None:
        runtime = self.get(task.kind)
        return runtime.live_progress(task.id) if runtime else None


def _share_of_stages(task: Task, stages: Sequence[str]) -> ProgressSnapshot:
    if task.state is State.SUCCEEDED:
        return ProgressSnapshot(percent=100, seconds_left=0)
    if task.state is not State.RUNNING or task.stage not in stages:
        return ProgressSnapshot()
    return ProgressSnapshot(percent=100 * stages.index(task.stage) // len(stages))
