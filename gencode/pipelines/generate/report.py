"""What became of a task, read from its log and its kept parts: at any time, of a failed one too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.llm.budget import total
from gencode.llm.port import Usage
from gencode.pipelines.generate.artifacts import OUTLINE, PART, PIECE, REPAIR, KeptSnapshot
from gencode.pipelines.generate.checkpoints import Checkpoints, kept_plan

_WRITTEN = (PIECE, PART, OUTLINE, REPAIR)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Tokens(_View):
    """As the provider counts them; `cached` of the prompts' came from its cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


class Account(Tokens):
    """Of every answered call, those included that could not be used."""

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
    """Of a plan that a person was to approve. After a retry it may be asked for once more."""

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
    """A status that was entered. After a retry, stages are there again."""

    status: str
    began: str
    seconds: float | None = Field(description="Until the next status, time in line included; null: not over")


class ReportedFailure(_View):
    code: str
    message: str
    retryable: bool
    stage: str


class Report(_View):
    """Versioned: fields may come, none changes its meaning within a version."""

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
    calls: int = Field(description="Answered model calls")
    calls_repeated: int = Field(description="Model calls that failed and were made again")
    stages: list[ReportedStage]
    failures: list[ReportedFailure] = Field(description="More than one after retries")
    retries: int = Field(description="How often the task went on after a failure")
    resumed: int = Field(description="How often a run began anew: after a restart, a retry, an approval")


def report(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Report:
    """`task` may be older than `events`, and these older than `kept`: the report is of a moment about now."""
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
        repairs=[ReportedRepair(**data) for data in _told(events, "repair")],
        usage=_account(events),
        calls=len(_told(events, "usage")),
        calls_repeated=len(_told(events, "retry")),
        stages=_stages(events),
        failures=[ReportedFailure(**data) for data in _told(events, "error")],
        retries=sum(before == "failed" for before, _ in pairwise(logged)),
        resumed=len(_told(events, "resumed")),
    )


def _told(events: Sequence[Event], kind: str) -> list[Mapping[str, Any]]:
    return [event.data for event in events if event.kind == kind]


def _plan(checkpoints: Checkpoints) -> ReportedPlan | None:
    if not (planned := kept_plan(checkpoints)):
        return None
    return ReportedPlan.model_validate(planned.plan.model_dump(mode="json"))


def _approvals(events: Sequence[Event]) -> list[ReportedApproval]:
    """Each time that it was asked for, with the word that came next, if any did."""
    told = [(event.kind, event.data) for event in events if event.kind in ("approval", "approved")]
    words: list[Mapping[str, Any]] = [data if kind == "approved" else {} for kind, data in told[1:]]
    return [
        ReportedApproval(asked=data["at"], approved=word.get("at"), revision=word.get("revision"))
        for (kind, data), word in zip(told, [*words, {}], strict=False)
        if kind == "approval"
    ]


def _files(events: Sequence[Event], checkpoints: Checkpoints) -> list[ReportedFile]:
    """In the plan's order; then what a commit has besides, and what was begun without a plan."""
    known, sizes, calls = kept_plan(checkpoints), _sizes(events, checkpoints), _calls(checkpoints)
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
    if "snapshot" in checkpoints:
        files = KeptSnapshot.model_validate_json(checkpoints["snapshot"]).files
        return {path: len(text.encode()) for path, text in files.items()}
    return {data["path"]: data["bytes"] for data in _told(events, "file")}


class _Call(_View):
    """What every kept answer has."""

    usage: Usage = Usage()
    joined: bool = False


def _calls(checkpoints: Checkpoints) -> dict[str, list[_Call]]:
    """For each path, repairs included: kept under `KIND:N:PATH`."""
    found: dict[str, list[_Call]] = {}
    for name, part in checkpoints.items():
        if name.startswith(_WRITTEN):
            path = name.split(":", 2)[2]
            call = _Call.model_validate_json(part)
            found.setdefault(path, []).extend([] if call.joined else [call])
    return found


def _tokens(usage: Usage) -> Tokens:
    return Tokens(prompt=usage.prompt, completion=usage.completion, cached=usage.cached)


def _findings(events: Sequence[Event]) -> list[ReportedFinding]:
    """Of checks, and of the look for secrets, which names the place only (as `file`, in older logs)."""
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
    """The newest `usage` event has the whole of it."""
    told = _told(events, "usage")
    return Account(**told[-1]["total"]) if told else Account()


def _stages(events: Sequence[Event]) -> list[ReportedStage]:
    entered = _told(events, "status")
    ends = [*(data["at"] for data in entered[1:]), None]
    return [
        ReportedStage(status=data["status"], began=data["at"], seconds=_seconds(data["at"], end))
        for data, end in zip(entered, ends, strict=True)
    ]


def _seconds(began: str, end: str | None) -> float | None:
    if end is None:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(began)).total_seconds(), 3)
