"""This kind's own tool for assistants: the answer of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gencode.domain.errors import NotFound
from gencode.engine.ports.store import Store
from gencode.http.base_models import RequestModel
from gencode.http.dependencies import task_of
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.pipelines.chat.texts import NAME
from gencode.pipelines.chat.turn import ids_of
from gencode.workspace.conversations.branches import MessageReader
from gencode.workspace.conversations.settlement import Settlement
from gencode.workspace.conversations.views import message_view
from gencode.workspace.database import Database


class AnswerArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As chat answered it")]


def answer_tool(database: Database, tasks: Store) -> Tool:
    reader, settlement = MessageReader(database), Settlement(database, tasks)

    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(AnswerArguments, call.arguments)
        task = await task_of(tasks, call.principal, arguments.task_id)
        if task.kind != NAME:
            raise NotFound("this task writes no answer of a conversation")
        ids = ids_of(task)
        unfinished = await settlement.settle(call.principal.id, ids.conversation_id)
        texts = {answer.answer_id: await settlement.text_so_far(answer) for answer in unfinished}
        found = await reader.messages([ids.answer_id])
        if not found:
            raise NotFound("the answer is not begun yet: ask again")
        view = message_view(found[0], await reader.tree(ids.conversation_id), texts)
        return view.model_dump(mode="json")

    return Tool(
        name="answer",
        title="The answer in a conversation",
        description=(
            "The message that a task of the tool chat writes: content so far, status (streaming until it is "
            "over: wait with the tool status), citations, tokens and cost, conversation_id."
        ),
        arguments=AnswerArguments,
        call=call,
    )
