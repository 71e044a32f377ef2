"""The bundle of a task: a JSON document from which its commit can be recreated (GET .../bundle)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gencode.domain.errors import NotFound
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.githosts.port import Snapshot
from gencode.pipelines.generate.commit_checkpoint import CommitContent, read_commit
from gencode.pipelines.generate.report import Report, report

Branch = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$")]
Author = Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00<>]+ <[^\r\n\x00<>]*>$")]
"""A line break here would add header lines to the commit object."""


class BundledCommit(BaseModel):
    """The commit as it was stored, with every text inline."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    files: dict[str, str]
    message: str
    author: Author
    at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    branch: Branch

    def snapshot(self, *, workflows: bool = False) -> Snapshot:
        """The snapshot of the commit. Validates every path; raises UnsafePath, UnsafeTree,
        ValidationError."""
        return CommitContent.model_validate(self.model_dump()).snapshot(workflows=workflows)


class Bundle(BaseModel):
    """A versioned document; `sha` is the SHA of the recreated commit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    format: Literal["gencode-bundle"]
    version: Literal[1]
    task_id: str
    request: dict[str, Any] = Field(description="As it was sent, with the model that answered")
    sha: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    commit: BundledCommit
    report: Report


def bundle(
    task: Task, request: Mapping[str, Any], events: Sequence[Event], checkpoints: Mapping[str, str]
) -> Bundle:
    """The bundle of a task. Raises NotFound if the task has not pushed its commit."""
    commit = read_commit(checkpoints)
    if not commit or "commit" not in task.result:
        raise NotFound("this task has pushed no commit, or not yet: only then there is a bundle")
    return Bundle(
        format="gencode-bundle",
        version=1,
        task_id=task.id,
        request={**request, **task.parameters},
        sha=task.result["commit"],
        commit=BundledCommit(**commit.model_dump(mode="json")),
        report=report(task, events, checkpoints),
    )
