"""The fields and JSON models by which clients see a task of kind `generate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gencode.delivery.forge_address import present_address_of
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.base_models import Moment, ResponseModel, TaskId, Words
from gencode.pipelines.generate.estimate import Estimate
from gencode.pipelines.generate.replay_bundle import Bundle
from gencode.pipelines.generate.report import Report
from gencode.pipelines.generate.task_files import FileState
from gencode.pipelines.generate.task_template import template_of

_ADDRESSES = ("repo_url", "clone_url")
_OF_RESULT = ("commit", "cached_from")
_OF_PARAMETERS = ("repo_name", "github_org", "host", "model", "private")
_NOTIFIED = ("repo_url", "clone_url", "commit", "branch")


class TaskTemplate(ResponseModel):
    """The project is a template, and was not written for the prompt."""

    name: str
    title: dict[str, str] = Field(description="What the template makes, by language")
    nearest_to: str = Field(description='What the prompt asks for and no template has; else ""')
    is_fallback: bool = Field(description="Whether the cause is that no language model is configured")


class GenerateTaskFields(BaseModel, defer_build=True):
    """Fields of a task's JSON that only this kind has."""

    repo_url: str | None = Field(None, description="Opens in a browser, and git clone takes it")
    clone_url: str | None = None
    commit: str | None = Field(None, description="SHA of the pushed commit")
    repo_name: str | None = None
    github_org: str | None = None
    host: str | None = Field(
        None, description="Name of the Git host; null of a task older than hosts had names"
    )
    model: str | None = None
    private: bool | None = None
    cached_from: str | None = Field(None, description="The earlier task whose plan and files these are")
    template: TaskTemplate | None = Field(None, description="null: a language model wrote the project")


def task_fields(task: Task, forge: str = "") -> Mapping[str, Any]:
    """The fields of GenerateTaskFields. `forge`: the address of the local forge."""
    addresses = {name: present_address_of(task, name, forge) for name in _ADDRESSES}
    of_result = {name: task.result.get(name) for name in _OF_RESULT}
    of_parameters = {name: task.parameters.get(name) for name in _OF_PARAMETERS}
    return {**addresses, **of_result, **of_parameters, "template": template_of(task)}


def label(task: Task) -> str:
    return str(task.parameters.get("repo_name"))


def result_url(task: Task, forge: str = "") -> str | None:
    return present_address_of(task, "repo_url", forge)


def notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    known = {name: event.data[name] for name in _NOTIFIED if name in event.data}
    return {"repo_name": task.parameters.get("repo_name"), **known}


class ReportView(Report, ResponseModel):
    """What became of a task: plan, files, findings, cost, times."""


class BundleView(Bundle, ResponseModel):
    """All that it takes to make the commit again."""


class EstimateView(Estimate, ResponseModel):
    """What a request would probably cost: half of comparable tasks lie between low and high."""


class RequestEstimateView(EstimateView):
    """The estimate for a request that is not submitted yet."""

    template: TaskTemplate | None = Field(
        None, description="That the offline model would fill in; null: a language model would be asked"
    )


class FileView(ResponseModel):
    """One file of a task's project."""

    path: Words
    bytes: int = Field(ge=0, description="So far; 0 of one that is not begun")
    state: FileState = Field(description="whole: can be read; committed: as it is, or will be, in the commit")
    purpose: Words = Field("", description="As planned")


class FileList(ResponseModel):
    """The plan's files, and what the project has besides."""

    task_id: TaskId
    complete: bool = Field(description="Whether every planned file is whole")
    files: list[FileView]


class PlanFileView(ResponseModel):
    """One planned file."""

    path: Words
    purpose: Words
    exports: list[Words]
    needs: list[Words]
    lines: int = Field(ge=0, description="Expected; 0: not said")


class LeftOutView(ResponseModel):
    """A file that was planned and is not written."""

    path: Words
    reason: Words = Field(description="binary, workflow (ALLOW_WORKFLOWS), git, directory, or removed")
    needed_by: list[Words] = Field(description="Planned files that were to use it, and must do without")


class PlanView(ResponseModel):
    """The plan from which the files are written."""

    task_id: TaskId
    awaiting_approval: bool
    approve_by: Moment | None
    revision: int = Field(ge=1, description="Grows with each change; the ETag is made of it")
    summary: Words
    files: list[PlanFileView]
    left_out: list[LeftOutView] = Field(description="Look at their needed_by before you approve")
    estimate: EstimateView | None = Field(
        description="What writing the files will probably cost; null unless the plan waits for approval"
    )
