"""Types of the JSON objects of the HTTP API (docs/api.md). Responses may have more fields."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Status = Literal[
    "pending", "generating", "merging_files", "creating_repo", "pushing", "completed", "failed", "cancelled"
]
State = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled", "unknown"]
TERMINAL_STATUSES: tuple[Status, ...] = ("completed", "failed", "cancelled")


class Options(TypedDict, total=False):
    """Optional fields of a request; see docs/api.md. None is the same as leaving the field out."""

    model: str | None
    host: str | None
    github_org: str | None
    private: bool | None
    allow_secrets: bool | None
    deliver: Literal["checked", "best_effort"] | None
    max_tokens: int | None
    max_cost: str | float | None
    deadline: str | None
    approve_plan: bool | None
    cache: bool | None
    callback_url: str | None


class RetryOptions(Options, total=False):
    """Optional fields of a retry; see docs/api.md. None of `github_org` is the default account."""

    repo_name: str | None


class Accepted(TypedDict):
    """The 202 of a submission, a retry or an approval."""

    task_id: str
    status: Status
    message: str
    model: str
    status_url: str
    task_url: str


class Failure(TypedDict):
    """Why and in which stage a task failed."""

    code: str
    message: str
    retryable: bool
    stage: Status
    retry_helps: NotRequired[Literal["now", "later", "after_change", "never"]]
    retry_fields: NotRequired[list[str]]


class Progress(TypedDict):
    """None where a value is unknown."""

    percent: int | None
    seconds_left: int | None
    stalled: bool
    rate_limited_until: str | None


class KindStage(TypedDict):
    """`title`: by language ("en", "zh")."""

    name: str
    title: dict[str, str]


class Kind(TypedDict):
    """A kind of task that the service runs. `stages`: in order."""

    name: str
    title: dict[str, str]
    stages: list[KindStage]


class Task(TypedDict):
    """A task and its current status. Times are RFC 3339 in UTC."""

    task_id: str
    kind: str
    client: NotRequired[str]
    state: NotRequired[State]
    status: Status
    message: str
    repo_url: str | None
    clone_url: str | None
    commit: str | None
    repo_name: str | None
    github_org: str | None
    host: str | None
    model: str | None
    private: bool | None
    error: Failure | None
    last_event_id: int
    created_at: str
    updated_at: str
    status_url: str
    task_url: str
    awaiting_approval: NotRequired[bool]
    approve_by: NotRequired[str | None]
    progress: NotRequired[Progress | None]


class File(TypedDict):
    """A file of a task; `bytes` is its size so far."""

    path: str
    bytes: int
    state: Literal["planned", "writing", "whole", "committed"]
    purpose: NotRequired[str]


class FileList(TypedDict):
    """The files of a task; `complete`: none will be added or changed."""

    task_id: str
    complete: bool
    files: list[File]


class PlannedFile(TypedDict):
    """A file of a plan; `needs`: paths of the files it depends on."""

    path: str
    purpose: NotRequired[str]
    exports: NotRequired[list[str]]
    needs: NotRequired[list[str]]
    lines: NotRequired[int]


class LeftOut(TypedDict):
    """A file that was planned and is not written; `needed_by`: files that were to use it."""

    path: str
    reason: str
    needed_by: list[str]


class Estimate(TypedDict):
    """`completion_tokens` and `cost` have `low` and `high`; see docs/api.md."""

    model: str
    prompt_tokens: int
    completion_tokens: dict[str, int]
    cost: dict[str, str] | None
    basis: str
    template: NotRequired[dict[str, object] | None]


class Plan(TypedDict):
    """The plan of a task; `revision` increases with each change. `estimate`: of writing its files, while it
    waits for approval."""

    task_id: str
    awaiting_approval: bool
    approve_by: str | None
    revision: int
    summary: str
    files: list[PlannedFile]
    left_out: NotRequired[list[LeftOut]]
    estimate: NotRequired[Estimate | None]
