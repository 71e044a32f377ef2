"""What assistants can do with the service: each tool with its description, its arguments and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from pydantic import BaseModel, ConfigDict, Field

from gencode.domain.errors import Invalid
from gencode.engine.store import IdempotencyKey
from gencode.http.files import list_files, read_file
from gencode.http.schemas import GenerateRequest, well_formed
from gencode.http.services import Services, task_of
from gencode.http.submission import digest, submit
from gencode.http.validation import validate
from gencode.http.views import task_view

LONGEST_WAIT = 30.0
"""Seconds; common clients give a call up after 60."""
LARGEST_FILE = 200_000
"""Bytes of one file in an answer, which fills the assistant's memory."""

TaskId = Annotated[str, Field(max_length=100, description="As generate answered it")]


class GenerateArguments(GenerateRequest):
    idempotency_key: (
        Annotated[
            str,
            Field(min_length=1, max_length=255, description="Your own; twice the same makes one task"),
        ]
        | None
    ) = None


class OfTask(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task_id: TaskId


class StatusRequest(OfTask):
    wait_seconds: Annotated[
        float, Field(ge=0, le=LONGEST_WAIT, description="Until the task is over, at most")
    ] = 0


class FilesRequest(OfTask):
    path: Annotated[str, Field(max_length=1024, description="Of the file to read")] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """One call. `api`: the path of the API, for links."""

    services: Services
    client: str
    api: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """`changes`: whether it does more than look; `ends`: whether it takes something away."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[ToolCall], Awaitable[Mapping[str, Any]]]
    changes: bool = False
    ends: bool = False


async def generate(asked: ToolCall) -> Mapping[str, Any]:
    await asked.services.rate.spend(asked.client)
    key = validate(GenerateArguments, asked.arguments).idempotency_key
    request = well_formed({k: v for k, v in asked.arguments.items() if k != "idempotency_key"})
    named = IdempotencyKey(principal=asked.client, value=key, digest=digest(request)) if key else None
    task, _ = await submit(asked.services, request, asked.client, asked.services.language, named)
    return task_view(task, asked.api, asked.services.progress_registry).model_dump(
        mode="json", exclude_unset=True
    )


async def status(asked: ToolCall) -> Mapping[str, Any]:
    request = validate(StatusRequest, asked.arguments)
    task = await task_of(asked.services, asked.client, request.task_id)
    if request.wait_seconds and not task.state.is_terminal:
        with anyio.move_on_after(request.wait_seconds):
            async with aclosing(asked.services.hub.subscribe(task.id, task.sequence)) as events:
                async for _ in events:
                    continue
        task = await task_of(asked.services, asked.client, request.task_id)
    return task_view(task, asked.api, asked.services.progress_registry).model_dump(
        mode="json", exclude_unset=True
    )


async def cancel(asked: ToolCall) -> Mapping[str, Any]:
    request = validate(OfTask, asked.arguments)
    task = await task_of(asked.services, asked.client, request.task_id)
    cancelled = await asked.services.task_service.cancel(task)
    return task_view(cancelled, asked.api, asked.services.progress_registry).model_dump(
        mode="json", exclude_unset=True
    )


async def retry(asked: ToolCall) -> Mapping[str, Any]:
    request = validate(OfTask, asked.arguments)
    await asked.services.rate.spend(asked.client)
    task = await task_of(asked.services, asked.client, request.task_id)
    retried = await asked.services.task_service.retry(task)
    return task_view(retried, asked.api, asked.services.progress_registry).model_dump(
        mode="json", exclude_unset=True
    )


async def files(asked: ToolCall) -> Mapping[str, Any]:
    request = validate(FilesRequest, asked.arguments)
    task = await task_of(asked.services, asked.client, request.task_id)
    if request.path is None:
        return (await list_files(asked.services, task)).model_dump(mode="json", exclude_unset=True)
    text = await read_file(asked.services, task, request.path)
    if len(text) > LARGEST_FILE:
        rule = f"this file has {len(text)} bytes, more than an answer holds ({LARGEST_FILE}): download it"
        raise Invalid(f"path: {rule}", [{"field": "path", "rule": "too_long", "message": rule}])
    return {"task_id": task.id, "path": request.path, "text": text.decode()}


TOOLS = (
    Tool(
        name="generate",
        title="Generate a repository",
        description=(
            "Turn a prompt into a new Git repository with a working project. Answers at once with a task_id; "
            "ask status for how it goes and for repo_url."
        ),
        arguments=GenerateArguments,
        call=generate,
        changes=True,
    ),
    Tool(
        name="status",
        title="How a task goes",
        description=(
            "A task as it is now: status, message, and once it is completed repo_url and clone_url; a failed "
            "one has an error with a code. wait_seconds waits for its end, up to 30 seconds."
        ),
        arguments=StatusRequest,
        call=status,
    ),
    Tool(
        name="cancel",
        title="Cancel a task",
        description="End a task that is not over. What was generated so far stays readable.",
        arguments=OfTask,
        call=cancel,
        changes=True,
        ends=True,
    ),
    Tool(
        name="retry",
        title="Go on with a failed task",
        description="Take a failed task back to the stage in which it failed; what was paid for is kept.",
        arguments=OfTask,
        call=retry,
        changes=True,
    ),
    Tool(
        name="files",
        title="The files of a task",
        description="Without path: the list of a task's files and their states. With path: that file's text.",
        arguments=FilesRequest,
        call=files,
    ),
)
