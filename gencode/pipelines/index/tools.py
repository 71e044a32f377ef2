"""The tool for assistants: search in knowledge bases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gencode.http.base_models import RequestModel
from gencode.http.strict_json import validate
from gencode.http.tool_declaration import Tool, ToolCall
from gencode.workspace.knowledge_bases.knowledge import MAX_BASES, KnowledgeBases
from gencode.workspace.knowledge_bases.resource import KNOWLEDGE_BASES
from gencode.workspace.resources.models import RowId
from gencode.workspace.resources.store import PageQuery

MAX_LISTED = 100


class SearchArguments(RequestModel):
    query: Annotated[
        str,
        StringConstraints(max_length=10_000),
        Field(description="A question, or words; empty: list the bases"),
    ] = ""
    knowledge_base_ids: Annotated[
        list[RowId], Field(max_length=MAX_BASES, description="Empty: the bases are listed")
    ] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=20)] = 5


def search_tool(knowledge: KnowledgeBases) -> Tool:
    async def call(call: ToolCall) -> Mapping[str, Any]:
        arguments = validate(SearchArguments, call.arguments)
        if not (arguments.query and arguments.knowledge_base_ids):
            return await _bases(knowledge, call.principal.id)
        found = await knowledge.search_bases(
            call.principal.id, arguments.knowledge_base_ids, arguments.query, arguments.limit
        )
        return found.model_dump(mode="json")

    return Tool(
        name="search_knowledge",
        title="Search knowledge bases",
        description=(
            "Search documents of the user. Without bases and query: the list of the bases. With them: the"
            " best chunks, with document, page and text."
        ),
        arguments=SearchArguments,
        call=call,
    )


async def _bases(knowledge: KnowledgeBases, principal: str) -> Mapping[str, Any]:
    query = PageQuery(limit=MAX_LISTED, sort="name", descending=False)
    rows = await knowledge.workspace.resource(KNOWLEDGE_BASES).page(query, principal)
    return {"bases": [KNOWLEDGE_BASES.view(row).model_dump(mode="json") for row in rows[:MAX_LISTED]]}
