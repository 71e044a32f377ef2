"""This kind's own tool for assistants: the blueprint that a task has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store
from gencode.http.base_models import RequestModel
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.dependencies import read_own_task
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.pipelines.blueprint.routes import check_kind, made_view

LONGEST = 200_000
"""Characters of the document in an answer, because it fills the assistant's context."""


class BlueprintArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As makeBlueprint answered it")]


def blueprint_tool(store: Store, reader: CheckpointReader) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        task_id = validate(BlueprintArguments, call.arguments).task_id
        return await read_own_task(store, reader, call.principal, task_id, check_kind, _answer)

    return Tool(
        name="blueprint",
        title="The blueprint that a task has made",
        description=(
            "The blueprint of a task of makeBlueprint: its document, and the findings of the validator. Its "
            "blueprint_id, which the tool build takes, is in the task (status)."
        ),
        arguments=BlueprintArguments,
        call=call,
    )


def _answer(task: Task, checkpoints: Checkpoints) -> Mapping[str, Any]:
    made = made_view(checkpoints, task.language)
    if (size := len(made.model_dump_json())) > LONGEST:
        rule = Phrase("the blueprint has {size} characters, more than an answer holds: export it", size=size)
        raise Invalid.of("task_id", "too_long", rule)
    blueprint_id = task.result.get("blueprint_id") or task.parameters.get("blueprint_id")
    return {"task_id": task.id, "blueprint_id": blueprint_id, **made.model_dump(mode="json")}
