"""The Model Context Protocol, by its official library. Importing this module takes half a second."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request

from gencode import __version__
from gencode.domain.errors import GencodeError, Invalid
from gencode.domain.phrase import Phrase
from gencode.http.dependencies import get_principal
from gencode.http.links import API
from gencode.http.problems import reference_for
from gencode.http.tool_declaration import Tool, ToolCall

INSTRUCTIONS = (
    "gencode turns a prompt into a Git repository. Call generate, then status with wait_seconds until the "
    "status is completed, failed or cancelled; files shows what was written."
)
_Context = ServerRequestContext[Any, Any]


def session_manager(tools: Sequence[Tool], max_body: int) -> StreamableHTTPSessionManager:
    """A stateless session manager: each request is answered by one JSON document, nothing is stored between
    requests, and clients do not notice a restart."""
    toolbox = _Toolbox(tools)
    server = Server(
        "gencode",
        version=__version__,
        title="gencode",
        instructions=INSTRUCTIONS,
        on_list_tools=toolbox.list,
        on_call_tool=toolbox.call,
    )
    return StreamableHTTPSessionManager(
        server, stateless=True, json_response=True, max_request_body_size=max_body
    )


class _Toolbox:
    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    async def list(
        self, _context: _Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_to_mcp(tool) for tool in self._tools.values()])

    async def call(self, context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Errors are returned as results, so that the assistant can read what to change."""
        request = context.request
        assert isinstance(request, Request)  # noqa: S101 - the transport over HTTP sets it
        try:
            return _result(await self._find(params.name).call(_tool_call(request, params)))
        except GencodeError as error:
            return _error_result(error)
        except Exception as error:
            return _error_result(reference_for(f"the tool {params.name[:50]!r}", error))

    def _find(self, name: str) -> Tool:
        if tool := self._tools.get(name):
            return tool
        rule = Phrase("there is no such tool; there are {tools}", tools=", ".join(self._tools))
        raise Invalid.of("name", "enum", rule)


def _to_mcp(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.is_read_only,
            destructive_hint=tool.is_destructive,
            open_world_hint=not tool.is_read_only,
        ),
    )


def _tool_call(request: Request, params: types.CallToolRequestParams) -> ToolCall:
    mount_path = request.scope.get("root_path", "")
    return ToolCall(
        principal=get_principal(request), api=f"{mount_path}{API}", arguments=params.arguments or {}
    )


def _result(data: Mapping[str, Any]) -> types.CallToolResult:
    text = json.dumps(data, ensure_ascii=False)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=dict(data)
    )


def _error_result(error: GencodeError) -> types.CallToolResult:
    text = f"{error.code}: {error.message}"
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
