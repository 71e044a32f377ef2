"""This kind's own tool for assistants: what a build has made, and what is known of its quality."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from gencode.codegen.secrets_scan import paths_with_own_secrets
from gencode.domain.errors import Invalid, NotFound, SecretFound
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.http.base_models import RequestModel
from gencode.http.dependencies import read_own_task
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.pipelines.build.api.preparation import BuildServices
from gencode.pipelines.build.changes import files_of
from gencode.pipelines.build.names import ARCHIVED, NAME, QA
from gencode.pipelines.build.qa_report import QaReport

LARGEST_FILE = 200_000
"""The most bytes of one file in an answer, because it fills the assistant's context."""


class ProjectArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As build answered it")]
    path: Annotated[str, Field(max_length=1024, description="Of the file to read")] | None = None


def project_tool(services: BuildServices) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(ProjectArguments, call.arguments)
        answer = partial(_answer, arguments.path, services.secrets.current())
        store, reader = services.store, services.checkpoint_reader
        return await read_own_task(store, reader, call.principal, arguments.task_id, _check_kind, answer)

    return Tool(
        name="project",
        title="The project that a build has made",
        description=(
            "Without path: the paths of the project of a task of build, and its report: whether it was "
            "proven to work, why not, and which business flows are not written. With path: that file's text."
        ),
        arguments=ProjectArguments,
        call=call,
    )


def _check_kind(task: Task) -> Task:
    if task.kind != NAME:
        raise NotFound("this task is no build")
    return task


def _answer(
    path: str | None, secrets: tuple[str, ...], task: Task, checkpoints: Checkpoints
) -> Mapping[str, Any]:
    if ARCHIVED not in checkpoints:
        raise NotFound("this build has no project yet")
    files = files_of(checkpoints)
    if path is None:
        report = QaReport.model_validate_json(checkpoints[QA])
        holes = [hole.model_dump(mode="json") for hole in report.holes]
        listed = [{"path": name, "bytes": len(text.encode())} for name, text in files.items()]
        return {"task_id": task.id, "files": listed, "report": {**report.summary(), "flows": holes}}
    if path not in files:
        raise NotFound(Phrase("the project has no file {path!r}", path=path[:200]))
    if paths_with_own_secrets({path: files[path]}, secrets):
        raise SecretFound(
            Phrase("{path!r} holds a secret of this service, which is never served", path=path[:200])
        )
    if (size := len(files[path].encode())) > LARGEST_FILE:
        rule = Phrase(
            "this file has {size} bytes, more than an answer holds ({most}): download the archive",
            size=size,
            most=LARGEST_FILE,
        )
        raise Invalid.of("path", "too_long", rule)
    return {"task_id": task.id, "path": path, "text": files[path]}
