"""The tools for tasks of every kind: one that submits each kind, and status, cancel and retry."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from typing import Annotated, Any

import anyio
from pydantic import BaseModel, Field, create_model

from gencode.domain.principal import Principal
from gencode.domain.task import Task
from gencode.engine.ports.store import IdempotencyKey
from gencode.http.base_models import RequestModel
from gencode.http.dependencies import Services, find_task
from gencode.http.kinds import Kind
from gencode.http.strict_json import validate
from gencode.http.submission import request_digest, retry, submit
from gencode.http.task_models import task_data
from gencode.http.tool_declaration import Tool, ToolCall

MAX_WAIT = 30.0
"""Seconds; common clients abort a call after 60."""

IdempotencyKeyArgument = Annotated[
    Annotated[str, Field(min_length=1, max_length=255, description="Your own; twice the same makes one task")]
    | None,
    Field(default=None),
]


class TaskArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As generate answered it")]


class RetryArguments(TaskArguments):
    changes: Annotated[
        dict[str, Any] | None,
        Field(description="What shall differ this time, such as repo_name after REPO_EXISTS, or max_tokens"),
    ] = None


class StatusArguments(TaskArguments):
    wait_seconds: Annotated[
        float, Field(ge=0, le=MAX_WAIT, description="Until the task is over, at most")
    ] = 0


def all_tools(services: Services) -> tuple[Tool, ...]:
    """All tools: one that submits each kind, the generic tools, and the tools of the kinds."""
    submit_tools = [_submit_tool(services, kind) for kind in services.kinds.registry]
    generic = (_status_tool(services), _cancel_tool(services), _retry_tool(services))
    return (*submit_tools, *generic, *services.kinds.tools)


def _submit_tool(services: Services, kind: Kind) -> Tool:
    submission = kind.submission

    async def call(call: ToolCall) -> Mapping[str, Any]:
        await services.rate.spend(call.principal.id)
        arguments = dict(call.arguments)
        key = getattr(validate(model, arguments), "idempotency_key", None)
        arguments.pop("idempotency_key", None)
        request = validate(kind.request_model, arguments, submission.pattern_messages)
        named = _key(call.principal, key, request_digest(request)) if key else None
        submitted = await submit(services, kind.name, request, call.principal, services.language, named)
        return task_data(submitted.task, call.api, services.kinds)

    model = _arguments_model(kind.request_model)
    return Tool(
        name=submission.operation_id,
        title=submission.tool_title,
        description=submission.tool_description,
        arguments=model,
        call=call,
        is_read_only=False,
    )


@cache
def _arguments_model(request_model: type[BaseModel]) -> type[BaseModel]:
    name = f"{request_model.__name__.removesuffix('Request')}Arguments"
    return create_model(name, __base__=request_model, idempotency_key=IdempotencyKeyArgument)


def _key(principal: Principal, value: str, digest: str) -> IdempotencyKey:
    return IdempotencyKey(principal=principal.id, value=value, digest=digest)


def _status_tool(services: Services) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(StatusArguments, call.arguments)
        task = await find_task(services, call.principal, arguments.task_id)
        if arguments.wait_seconds and not task.state.is_terminal:
            await _wait(services, task, arguments.wait_seconds)
            task = await find_task(services, call.principal, arguments.task_id)
        return task_data(task, call.api, services.kinds)

    return Tool(
        name="status",
        title="How a task goes",
        description=(
            "A task as it is now: status, message, and once it is completed repo_url and clone_url; a failed "
            "one has an error with a code. wait_seconds waits for its end, up to 30 seconds."
        ),
        arguments=StatusArguments,
        call=call,
    )


async def _wait(services: Services, task: Task, seconds: float) -> None:
    """Wait until the task is over, at most `seconds`."""
    with anyio.move_on_after(seconds):
        async with aclosing(services.hub.subscribe(task.id, task.sequence)) as events:
            async for _ in events:
                continue


def _cancel_tool(services: Services) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(TaskArguments, call.arguments)
        task = await find_task(services, call.principal, arguments.task_id)
        return task_data(await services.task_service.cancel(task), call.api, services.kinds)

    return Tool(
        name="cancel",
        title="Cancel a task",
        description="End a task that is not over. What was generated so far stays readable.",
        arguments=TaskArguments,
        call=call,
        is_read_only=False,
        is_destructive=True,
    )


def _retry_tool(services: Services) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(RetryArguments, call.arguments)
        await services.rate.spend(call.principal.id)
        task = await find_task(services, call.principal, arguments.task_id)
        changes = _retry_changes(services, task, arguments.changes or {})
        return task_data(await retry(services, task, changes), call.api, services.kinds)

    return Tool(
        name="retry",
        title="Retry a failed task",
        description=(
            "Take a failed task back to the stage in which it failed; what was paid for is kept. changes may "
            "name another repo_name while no repository has been created."
        ),
        arguments=RetryArguments,
        call=call,
        is_read_only=False,
    )


def _retry_changes(services: Services, task: Task, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The validated changes. Raises Invalid for fields that a retry of this kind cannot change."""
    kind, runtime = services.kinds.registry.get(task.kind), services.kinds.require(task)
    if not kind or not changes:
        return {}
    return runtime.retry_changes(task, validate(kind.retry_model, changes))
