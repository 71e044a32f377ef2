"""The HTTP side: two routes, answers at once or as a stream, errors in OpenAI's shape."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio.lowlevel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from gencode.embedded.offline import openai_protocol
from gencode.embedded.offline.completion import answer

MAX_BODY = 16 * 2**20  # bytes; a request holds the prompt and at most one cut file
BASES = ("", "/v1", "/beta")  # clients differ in what they take for the base URL; /beta is DeepSeek's


def offline_model() -> ASGIApp:
    """The model as an ASGI application, without state and without a lifespan; any API key will do."""
    return Starlette(
        routes=[
            route
            for base in BASES
            for route in (
                Route(f"{base}/chat/completions", complete, methods=["POST"]),
                Route(f"{base}/models", list_models),
                Route(f"{base}/models/{{name}}", show_model),
            )
        ],
        exception_handlers={openai_protocol.Refusal: refuse, HTTPException: refuse_http},
        max_body_size=MAX_BODY,
    )


async def complete(request: Request) -> Response:
    call = openai_protocol.read_call(await request.body())
    reply = openai_protocol.Reply.to(call, answer(call))
    if call.stream:
        return StreamingResponse(_events(reply, call.include_usage), media_type="text/event-stream")
    return JSONResponse(reply.whole())


async def _events(reply: openai_protocol.Reply, include_usage: bool) -> AsyncIterator[bytes]:
    for chunk in reply.chunks(include_usage=include_usage):
        yield _event(json.dumps(chunk))
        await anyio.lowlevel.checkpoint()  # a long file must not hold up the loop that others run in
    yield _event("[DONE]")


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


async def list_models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [openai_protocol.model()]})


async def show_model(request: Request) -> Response:
    openai_protocol.check_model(request.path_params["name"])
    return JSONResponse(openai_protocol.model())


async def refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, openai_protocol.Refusal):
        raise error
    return _problem(error.status, error.message, error.param, error.code)


async def refuse_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _problem(error.status_code, error.detail, None, None, error.headers)


def _problem(
    status: int, message: str, param: str | None, code: str | None, headers: Mapping[str, Any] | None = None
) -> Response:
    detail = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": detail}, status_code=status, headers=headers)
