"""This kind's own tool for assistants: the files of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.http.base_models import RequestModel
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.pipelines.generate.api.files import list_files, read_file
from gencode.pipelines.generate.api.services import GenerateServices

LARGEST_FILE = 200_000
"""The most bytes of one file in an answer, because it fills the assistant's context."""


class FilesArguments(RequestModel):
    task_id: Annotated[str, Field(max_length=100, description="As generate answered it")]
    path: Annotated[str, Field(max_length=1024, description="Of the file to read")] | None = None


def files_tool(services: GenerateServices) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(FilesArguments, call.arguments)
        if arguments.path is None:
            listed = await list_files(services, call.principal, arguments.task_id)
            return listed.model_dump(mode="json", exclude_unset=True)
        text = await read_file(services, call.principal, arguments.task_id, arguments.path)
        if len(text) > LARGEST_FILE:
            rule = Phrase(
                "this file has {text} bytes, more than an answer holds ({largest_file}): download it",
                text=len(text),
                largest_file=LARGEST_FILE,
            )
            raise Invalid.of("path", "too_long", rule)
        return {"task_id": arguments.task_id, "path": arguments.path, "text": text.decode()}

    return Tool(
        name="files",
        title="The files of a task",
        description="Without path: the list of a task's files and their states. With path: that file's text.",
        arguments=FilesArguments,
        call=call,
    )
