"""The Model Context Protocol, by its official library. Importing this module takes half a second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request

from gencode.domain.errors import GencodeError, Invalid
from gencode.http.links import API
from gencode.http.problems import reference_for
from gencode.http.services import get_services
from gencode.mcp.tools import TOOLS, Tool, ToolCall

INSTRUCTIONS = (
    "gencode turns a prompt into a Git repository. Call generate, then status with wait_seconds until the "
    "status is completed, failed or cancelled; files shows what was written."
)
_Context = ServerRequestContext[Any, Any]


def task_service(max_body: int) -> StreamableHTTPSessionManager:
    """No sessions: each request stands for itself and is answered by one JSON, so nothing is kept between
    requests, and a restart is not noticed."""
    server = Server(
        "gencode",
        version=version("gencode"),
        title="gencode",
        instructions=INSTRUCTIONS,
        on_list_tools=_list,
        on_call_tool=_call,
    )
    return StreamableHTTPSessionManager(
        server, stateless=True, json_response=True, max_request_body_size=max_body
    )


async def _list(_context: _Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS])


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.changes, destructive_hint=tool.ends, open_world_hint=tool.changes
        ),
    )


async def _call(context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """What goes wrong is an answer, too: the assistant reads what to change."""
    request = context.request
    assert isinstance(request, Request)  # noqa: S101 - the transport over HTTP sets it
    try:
        return _answer(await _found(params.name).call(_asked(request, params)))
    except GencodeError as error:
        return _refusal(error)
    except Exception as error:
        return _refusal(reference_for(f"the tool {params.name[:50]!r}", error))


def _found(name: str) -> Tool:
    for tool in TOOLS:
        if tool.name == name:
            return tool
    rule = f"there is no such tool; there are {', '.join(tool.name for tool in TOOLS)}"
    raise Invalid(f"name: {rule}", [{"field": "name", "rule": "enum", "message": rule}])


def _asked(request: Request, params: types.CallToolRequestParams) -> ToolCall:
    mounted = request.scope.get("root_path", "")
    return ToolCall(
        services=get_services(request),
        client=request.state.client,
        api=f"{mounted}{API}",
        arguments=params.arguments or {},
    )


def _answer(data: Mapping[str, Any]) -> types.CallToolResult:
    text = json.dumps(data, ensure_ascii=False)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=dict(data)
    )


def _refusal(error: GencodeError) -> types.CallToolResult:
    said = f"{error.code}: {error.message}"
    return types.CallToolResult(content=[types.TextContent(type="text", text=said)], is_error=True)
