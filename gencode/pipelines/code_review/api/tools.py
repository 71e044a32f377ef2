"""This kind's own tool for assistants: the result of a review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store
from gencode.http.base_models import RequestModel
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.dependencies import read_own_task
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.pipelines.code_review.api.operations import check_kind, stored_review

MOST_LEDGER_LINES = 200
"""Of an answer, because it fills the assistant's context."""


class ReviewArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As the submission answered it")]


def review_tool(store: Store, reader: CheckpointReader) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        task_id = validate(ReviewArguments, call.arguments).task_id
        return await read_own_task(store, reader, call.principal, task_id, check_kind, _answer)

    return Tool(
        name="review",
        title="The result of a code review",
        description="The findings of a completed code review, the most important first, and its ledger.",
        arguments=ReviewArguments,
        call=call,
    )


def _answer(task: Task, checkpoints: Checkpoints) -> Mapping[str, Any]:
    shown = stored_review(checkpoints).model_dump(mode="json")
    return {"task_id": task.id, **shown, "ledger": shown["ledger"][:MOST_LEDGER_LINES]}
