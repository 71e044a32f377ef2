"""POST /mcp: the Model Context Protocol over streamable HTTP."""

from __future__ import annotations

from codecs import BOM_UTF8

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from gencode.auth.key_authenticator import ApiKeyAuthenticator
from gencode.domain.errors import WrongMethod
from gencode.http.authentication import AuthenticationMiddleware
from gencode.http.dependencies import get_extension
from gencode.http.problems import accept_language, problem_response
from gencode.http.strict_json import check_values
from gencode.mcp.runtime import MCPRuntime


def mcp_route(keys: ApiKeyAuthenticator) -> Route:
    return Route("/mcp", MCPEndpoint(), middleware=[Middleware(AuthenticationMiddleware, keys=keys)])


class MCPEndpoint:
    """Accepts only single requests: no streams of the server's own, and no sessions."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            error = WrongMethod("send MCP messages by POST; this server opens no streams of its own")
            await problem_response(error, {"Allow": "POST"}, accept_language(scope))(scope, receive, send)
            return
        request = Request(scope, receive)
        # Read here, because the library would log a traceback if the client disconnects during its body.
        body = (await request.body()).removeprefix(BOM_UTF8)  # as in other bodies; the library refuses it
        check_values(body)  # the library parses on the event loop
        await get_extension(request, MCPRuntime).handle(scope, _with_body(body, receive), send)


def _with_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body, which was already read, and then the following messages."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_next() -> Message:
        return messages.pop() if messages else await receive()

    return receive_next
