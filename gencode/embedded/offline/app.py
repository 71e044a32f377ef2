"""The HTTP application: chat completions (streamed or not), models, and OpenAI's error bodies."""

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
from gencode.embedded.offline.completion import completion_text

MAX_BODY = 16 * 2**20  # bytes; a request has the prompt and at most one truncated file
BASE_PATHS = ("", "/v1", "/beta")  # clients differ in what their base URL includes; /beta is DeepSeek's


def offline_model_app() -> ASGIApp:
    """The model as an ASGI application. It has no state and no lifespan, and accepts any API key."""
    return Starlette(
        routes=[
            route
            for base in BASE_PATHS
            for route in (
                Route(f"{base}/chat/completions", chat_completions, methods=["POST"]),
                Route(f"{base}/models", list_models),
                Route(f"{base}/models/{{name}}", show_model),
            )
        ],
        exception_handlers={openai_protocol.ApiError: api_error_response, HTTPException: http_error_response},
        max_body_size=MAX_BODY,
    )


async def chat_completions(request: Request) -> Response:
    """POST /v1/chat/completions."""
    chat_request = openai_protocol.parse_request(await request.body())
    completion = openai_protocol.ChatCompletion.create(chat_request, completion_text(chat_request))
    if chat_request.stream:
        return StreamingResponse(
            _events(completion, chat_request.include_usage), media_type="text/event-stream"
        )
    return JSONResponse(completion.as_object())


async def _events(completion: openai_protocol.ChatCompletion, include_usage: bool) -> AsyncIterator[bytes]:
    for chunk in completion.as_chunks(include_usage=include_usage):
        yield _event(json.dumps(chunk))
        await (
            anyio.lowlevel.checkpoint()
        )  # a long file must not block the event loop, which the service shares
    yield _event("[DONE]")


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


async def list_models(request: Request) -> Response:
    """GET /v1/models."""
    return JSONResponse({"object": "list", "data": [openai_protocol.model_object()]})


async def show_model(request: Request) -> Response:
    """GET /v1/models/{name}."""
    openai_protocol.check_model(request.path_params["name"])
    return JSONResponse(openai_protocol.model_object())


async def api_error_response(request: Request, error: Exception) -> Response:
    """OpenAI's error body for an ApiError."""
    if not isinstance(error, openai_protocol.ApiError):
        raise error
    return _error_response(error.status, error.message, error.param, error.code)


async def http_error_response(request: Request, error: Exception) -> Response:
    """OpenAI's error body for Starlette's own errors, such as 404, 405 and 413."""
    if not isinstance(error, HTTPException):
        raise error
    return _error_response(error.status_code, error.detail, None, None, error.headers)


def _error_response(
    status: int, message: str, param: str | None, code: str | None, headers: Mapping[str, Any] | None = None
) -> Response:
    detail = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": detail}, status_code=status, headers=headers)
