"""The fields of a task's JSON that only this kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from gencode.certification.reasons import in_chinese
from gencode.delivery.forge_address import present_address_of
from gencode.domain.event import Event
from gencode.domain.task import Task

_OF_PARAMETERS = (
    "blueprint_id",
    "blueprint_name",
    "version_tag",
    "is_draft",
    "blueprint_digest",
    "project_name",
    "stack",
    "template_set",
    "template_version",
    "model",
    "host",
)
_OF_RESULT = (
    "file_count",
    "commit",
    "tree",
    "checksum",
    "archive_sha256",
    "archive_bytes",
    "qa_status",
    "qa_reason",
    "qa_report",
    "branch",
    "changes",
    "update",
)
_NOTIFIED = ("repo_url", "clone_url", "branch", "commit", "checksum", "qa_status", "qa_reason", "update")
_ADDRESSES = ("repo_url", "clone_url")
QaStatus = Literal["verified", "failed", "unverified"]


class BuildFields(BaseModel, defer_build=True):
    """Known when the stage that makes them has ended."""

    blueprint_id: str | None = None
    blueprint_name: str | None = None
    version_tag: str | None = Field(None, description="Of the blueprint when it was submitted")
    is_draft: bool | None = Field(None, description="Whether the blueprint was a draft then")
    blueprint_digest: str | None = Field(None, description="SHA-256 of the document")
    project_name: str | None = None
    stack: dict[str, str] | None = None
    template_set: str | None = None
    template_version: dict[str, str] | None = Field(None, description="Its name, version and SHA-256")
    model: str | None = None
    file_count: int | None = None
    commit: str | None = Field(None, description="Of exactly these files, whether it is pushed or not")
    tree: str | None = Field(None, description="Of the commit")
    checksum: str | None = Field(None, description="SHA-256 of blueprint, templates and commit")
    archive_sha256: str | None = None
    archive_bytes: int | None = None
    repo_url: str | None = Field(
        None, description="With `deliver`: opens in a browser, and git clone takes it"
    )
    clone_url: str | None = None
    branch: str | None = None
    changes: dict[str, Any] | None = Field(
        None, description="Files, the migration, and flows lost since the build that it regenerates"
    )
    update: dict[str, Any] | None = Field(
        None, description="With `update_repository`: what became of the repository, and why"
    )
    host: str | None = None
    qa_status: QaStatus | None = Field(None, description="unverified: nothing has proven that it works")
    qa_reason: str | None = Field(None, description="Why it is not verified; empty if it is")
    qa_reason_zh: str | None = Field(None, description="The same in Chinese")
    qa_report: dict[str, Any] | None = Field(None, description="In short; GET .../qa-report has the whole")


def task_fields(task: Task, forge: str = "") -> Mapping[str, Any]:
    """`forge`: the address of the local forge."""
    of_parameters = {name: task.parameters.get(name) for name in _OF_PARAMETERS}
    addresses = {name: present_address_of(task, name, forge) for name in _ADDRESSES}
    of_result = {name: task.result.get(name) for name in _OF_RESULT}
    return {**of_parameters, **addresses, **of_result, "qa_reason_zh": reason_in_chinese(task)}


def reason_in_chinese(task: Task) -> str | None:
    """Why it is not verified; None until that is known."""
    reason = task.result.get("qa_reason")
    return None if reason is None else in_chinese(str(reason))


def notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    of_result = {name: task.result.get(name) for name in _NOTIFIED}
    return {"blueprint_id": task.parameters.get("blueprint_id"), **of_result}


def result_url(task: Task, forge: str = "") -> str | None:
    return present_address_of(task, "repo_url", forge)


def label(task: Task) -> str:
    return f"Build of {task.parameters.get('blueprint_name')} {task.parameters.get('version_tag')}"
