"""POST /mcp: the service for assistants (Model Context Protocol, streamable HTTP)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gencode.errors import WrongMethod
from gencode.web.parts import parts
from gencode.web.problems import problem_response


class MCP:
    """The endpoint. Only what has an end is taken: neither streams without a request nor sessions."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            refusal = WrongMethod("send MCP messages by POST; this server opens no streams of its own")
            await problem_response(refusal, {"Allow": "POST"})(scope, receive, send)
            return
        await parts(Request(scope)).assistants.handle(scope, receive, send)
