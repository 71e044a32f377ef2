"""POST /mcp: the service for assistants (Model Context Protocol, streamable HTTP)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from gencode.domain.errors import WrongMethod
from gencode.http.problems import problem_response
from gencode.http.services import get_services


class MCP:
    """The endpoint. Only what has an end is taken: neither streams without a request nor sessions."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            refusal = WrongMethod("send MCP messages by POST; this server opens no streams of its own")
            await problem_response(refusal, {"Allow": "POST"})(scope, receive, send)
            return
        request = Request(scope, receive)
        body = (
            await request.body()
        )  # who hangs up in it would be an error with its trace in the library's log
        await get_services(request).assistants.handle(scope, _again(body, receive), send)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body, which was received whole, and then whatever comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
