"""Declared operations: what is read is what is described, and any package can define operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError, NotFound
from gencode.http.body_specs import JsonBody
from gencode.http.openapi import OpenAPI
from gencode.http.operation import Operation, OperationGroup, operation
from gencode.http.parameter_types import Integer, Parameter, UndeclaredInput
from gencode.http.problems import on_gencode_error
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.task_models import Problem


class Drawing(BaseModel):
    """Request and response of the operations below."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    width: int


class NoPaper(GencodeError):
    code = "NO_PAPER"
    http_status = 409
    meaning = "There is no paper"


SCALE = Parameter(
    name="scale", location="query", description="Factor", type=Integer(minimum=1, maximum=9), default=1
)
DRAWING = JsonBody(model=Drawing)
DRAWN = JsonResponseSpec(status=201, model=Drawing, description="The drawing")


@operation(
    "draw",
    "POST /drawing/{name:path}",
    "Draw",
    parameters=(SCALE,),
    body=DRAWING,
    responses=(DRAWN,),
    errors=(NoPaper,),
)
async def draw(request: Request) -> Response:
    drawing = await DRAWING.read(request)
    return DRAWN.make(Drawing(width=drawing.width * SCALE.read(request)))


@operation("look", "GET /drawing/{name:path}", "Look", responses=(DRAWN,), errors=(NotFound,))
async def read_undeclared_parameter(request: Request) -> Response:
    return DRAWN.make(Drawing(width=SCALE.read(request)))


def openapi(*operations: Operation) -> OpenAPI:
    return OpenAPI(
        [OperationGroup(prefix="/drawings", operations=operations)],
        info=lambda: {"title": "drawings", "version": "1"},
        everywhere=[GencodeError],
        security={},
        problem=Problem,
    )


def requester(*operations: Operation) -> Callable[..., Awaitable[httpx.Response]]:
    app = Starlette(
        routes=OperationGroup(operations=operations).routes(),
        exception_handlers={GencodeError: on_gencode_error},
    )
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")
    return client.request


async def test_inputs_are_read_and_validated_as_declared() -> None:
    request = requester(draw)
    assert (await request("POST", "/drawing/a/b?scale=2", json={"width": 3})).json() == {"width": 6}
    too_large = await request("POST", "/drawing/a?scale=10", json={"width": 3})
    assert (too_large.status_code, too_large.json()["errors"][0]["field"]) == (422, "scale")
    repeated_key = await request(
        "POST", "/drawing/a", content=b'{"width":1,"width":2}', headers={"Content-Type": "application/json"}
    )
    assert (repeated_key.status_code, repeated_key.json()["code"]) == (400, "MALFORMED")


def test_an_operation_is_described_as_declared() -> None:
    document = openapi(draw).document
    described = document["paths"]["/drawings/drawing/{name}"]["post"]
    assert [parameter["name"] for parameter in described["parameters"]] == ["name", "scale"]
    assert "`NO_PAPER`: There is no paper" in described["responses"]["409"]["description"]
    assert "NO_PAPER" in document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]


def test_responses_with_one_status_are_described_with_all_their_media_types() -> None:
    text = ResponseSpec(status=201, media_type="text/plain", description="As a text")
    described = openapi(replace(draw, responses=(DRAWN, text))).document["paths"]["/drawings/drawing/{name}"]
    assert list(described["post"]["responses"]["201"]["content"]) == ["application/json", "text/plain"]


async def test_a_405_names_every_method_of_the_path_and_head_works_like_get() -> None:
    request = requester(draw, read_undeclared_parameter)
    allowed = (await request("DELETE", "/drawing/a")).headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "POST"}


async def test_reading_an_undeclared_input_raises() -> None:
    with pytest.raises(UndeclaredInput):
        await requester(read_undeclared_parameter)("GET", "/drawing/a")


def test_two_operations_with_one_name_or_one_method_of_a_path_are_refused() -> None:
    with pytest.raises(ValueError, match="draw"):
        openapi(draw, draw)
    with pytest.raises(ValueError, match="same method"):
        OperationGroup(operations=(draw, draw)).routes()
