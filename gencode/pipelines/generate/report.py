"""The report of a task, made from its log and its checkpoints: at any time, for failed tasks too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gencode.codegen.file_checkpoints import OUTLINE, PART, PIECE, REPAIR, Checkpoints, path_of
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.llm.budget import total
from gencode.llm.port import Usage
from gencode.pipelines.generate.checkpoints import saved_plan
from gencode.pipelines.generate.commit_checkpoint import read_commit

_CALL_CHECKPOINTS = (PIECE, PART, OUTLINE, REPAIR)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Tokens(_View):
    """Token counts as the provider reports them. `cached`: the prompt tokens that came from its prompt
    cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = Field(False, description="The provider has not told all of them")


class Account(Tokens):
    """The usage of all calls, including interrupted ones and those with unusable answers."""

    cost: str | None = Field(None, description="A decimal number; null while the model has no price")


class ReportedPlanFile(_View):
    path: str
    purpose: str
    exports: list[str]
    needs: list[str]
    lines: int = Field(description="Expected; 0: not said")


class ReportedPlan(_View):
    summary: str
    files: list[ReportedPlanFile]


class ReportedApproval(_View):
    """A request for approval of the plan. After a retry there may be another one."""

    asked: str
    approved: str | None = Field(description="null: not, or not yet")
    revision: int | None = Field(description="Of the plan that was approved: 1, and one more for each change")


class ReportedFile(_View):
    path: str
    bytes: int | None = Field(description="In the commit, or as written so far; null while it is not whole")
    calls: int = Field(description="Answered model calls for it, repairs included")
    tokens: Tokens


class ReportedFinding(_View):
    event: int = Field(description="The id of the event that told of it")
    path: str
    line: int
    rule: str
    message: str


class ReportedRepair(_View):
    path: str
    round: int
    calls: int


class ReportedStage(_View):
    """A status that the task entered. After a retry, stages occur again."""

    status: str
    began: str
    seconds: float | None = Field(description="Until the next status, time in line included; null: not over")


class ReportedFailure(_View):
    code: str
    message: str
    retryable: bool
    stage: str
    retry_helps: str | None = Field(None, description="As in the task; null of older failures")
    retry_fields: list[str] = []


class Report(_View):
    """Versioned: fields may be added, none changes its meaning within a version."""

    version: int
    task_id: str
    status: str
    model: str
    repo_name: str
    host: str | None = Field(None, description="Name of the Git host; null of older tasks")
    repo_url: str | None
    commit: str | None
    cached_from: str | None = Field(None, description="The earlier task whose plan and files these are")
    similarity: float | None = Field(None, description="Of its prompt to this one; 1.0: the same")
    plan: ReportedPlan | None
    approvals: list[ReportedApproval] = Field([], description="Empty unless the request said approve_plan")
    files: list[ReportedFile]
    findings: list[ReportedFinding]
    repairs: list[ReportedRepair]
    usage: Account
    calls: int = Field(description="Charged model calls")
    calls_repeated: int = Field(description="Model calls that failed and were made again")
    stages: list[ReportedStage]
    failures: list[ReportedFailure] = Field(description="More than one after retries")
    retries: int = Field(description="How often the task went on after a failure")
    resumed: int = Field(description="How often a run began anew: after a restart, a retry, an approval")


def report(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Report:
    """`task` may be older than `events`, and these older than `checkpoints`: each is read on its own."""
    logged = [event.data["status"] for event in events if event.kind == "status"]
    return Report(
        version=1,
        task_id=task.id,
        status=task.status,
        model=str(task.parameters["model"]),
        repo_name=str(task.parameters["repo_name"]),
        host=task.parameters.get("host"),
        repo_url=task.result.get("repo_url"),
        commit=task.result.get("commit"),
        cached_from=task.result.get("cached_from"),
        similarity=task.result.get("similarity"),
        plan=_plan(checkpoints),
        approvals=_approvals(events),
        files=_files(events, checkpoints),
        findings=_findings(events),
        repairs=[ReportedRepair(**data) for data in _data(events, "repair")],
        usage=_account(events),
        calls=len(_data(events, "usage")),
        calls_repeated=len(_data(events, "retry")),
        stages=_stages(events),
        failures=[ReportedFailure(**data) for data in _data(events, "error")],
        retries=sum(before == "failed" for before, _ in pairwise(logged)),
        resumed=len(_data(events, "resumed")),
    )


def _data(events: Sequence[Event], kind: str) -> list[Mapping[str, Any]]:
    return [event.data for event in events if event.kind == kind]


def _plan(checkpoints: Checkpoints) -> ReportedPlan | None:
    if not (planned := saved_plan(checkpoints)):
        return None
    return ReportedPlan.model_validate(planned.plan.model_dump(mode="json"))


def _approvals(events: Sequence[Event]) -> list[ReportedApproval]:
    """Each request for approval, with the approval that followed it, if any."""
    logged = [(event.kind, event.data) for event in events if event.kind in ("approval", "approved")]
    answers: list[Mapping[str, Any]] = [data if kind == "approved" else {} for kind, data in logged[1:]]
    return [
        ReportedApproval(asked=data["at"], approved=answer.get("at"), revision=answer.get("revision"))
        for (kind, data), answer in zip(logged, [*answers, {}], strict=False)
        if kind == "approval"
    ]


def _files(events: Sequence[Event], checkpoints: Checkpoints) -> list[ReportedFile]:
    """The files in the plan's order; then further files of the commit, and files that were started without a
    plan."""
    known, sizes, calls = saved_plan(checkpoints), _sizes(events, checkpoints), _calls(checkpoints)
    planned = [file.path for file in known.plan.files] if known else []
    return [
        ReportedFile(
            path=path,
            bytes=sizes.get(path),
            calls=len(calls.get(path, [])),
            tokens=_tokens(total(*(call.usage for call in calls.get(path, [])))),
        )
        for path in dict.fromkeys([*planned, *sizes, *calls])
    ]


def _sizes(events: Sequence[Event], checkpoints: Checkpoints) -> dict[str, int]:
    if commit := read_commit(checkpoints):
        return {path: len(text.encode()) for path, text in commit.files.items()}
    return {data["path"]: data["bytes"] for data in _data(events, "file")}


class _Call(_View):
    """What the checkpoints of all answers have in common."""

    usage: Usage = Usage()
    joined: bool = False


def _calls(checkpoints: Checkpoints) -> dict[str, list[_Call]]:
    """The calls for each file by path, including repairs."""
    found: dict[str, list[_Call]] = {}
    for name, content in checkpoints.items():
        if name.startswith(_CALL_CHECKPOINTS):
            call = _Call.model_validate_json(content)
            found.setdefault(path_of(name), []).extend([] if call.joined else [call])
    return found


def _tokens(usage: Usage) -> Tokens:
    return Tokens(**asdict(usage))


def _findings(events: Sequence[Event]) -> list[ReportedFinding]:
    """The findings of validation, and of the secrets scan, which have no message (and have `file` in place of
    `path` in older logs)."""
    return [
        ReportedFinding(
            event=event.id,
            path=found.get("path") or found["file"],
            line=found["line"],
            rule=found["rule"],
            message=found.get("message", ""),
        )
        for event in events
        if event.kind == "findings"
        for found in event.data["findings"]
    ]


def _account(events: Sequence[Event]) -> Account:
    """The newest `usage` event has the total."""
    usages = _data(events, "usage")
    return Account(**usages[-1]["total"]) if usages else Account()


def _stages(events: Sequence[Event]) -> list[ReportedStage]:
    entered = _data(events, "status")
    ends = [*(data["at"] for data in entered[1:]), None]
    return [
        ReportedStage(status=data["status"], began=data["at"], seconds=_seconds(data["at"], end))
        for data, end in zip(entered, ends, strict=True)
    ]


def _seconds(began: str, end: str | None) -> float | None:
    if end is None:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(began)).total_seconds(), 3)
