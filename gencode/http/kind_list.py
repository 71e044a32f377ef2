"""GET /api/v1/kinds: lists the kinds of tasks for the page, the command line and other clients."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.http.base_models import Link, ResponseModel
from gencode.http.dependencies import get_services
from gencode.http.kinds import Kind, Texts
from gencode.http.links import api
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec


class StageInfo(ResponseModel):
    """A stage: its name is the public status of a task while it runs."""

    name: str
    title: dict[str, str] = Field(description="By language: en, zh")


class ErrorInfo(ResponseModel):
    """A code that tasks of the kind can fail with."""

    code: str
    advice: dict[str, str] = Field({}, description="What to do, by language; empty where the message says it")


class KindInfo(ResponseModel):
    """A kind of task."""

    name: str = Field(description="`kind` of its tasks")
    title: dict[str, str] = Field(description="By language: en, zh")
    stages: list[StageInfo] = Field(description="In the order in which a task goes through them")
    submit_url: Link = Field(description="POST a request here")
    request_schema: str = Field(description="Name of the request's schema in /openapi.json")
    errors: list[ErrorInfo]


class KindList(ResponseModel):
    """The kinds that this service runs."""

    kinds: list[KindInfo]


KINDS = JsonResponseSpec(model=KindList, description="The kinds")


@operation("listKinds", "GET /kinds", "The kinds of tasks", responses=(KINDS,))
async def list_kinds(request: Request) -> Response:
    registry = get_services(request).kinds.registry
    return KINDS.make(KindList(kinds=[_info(kind, api(request)) for kind in registry]))


def _info(kind: Kind, path: str) -> KindInfo:
    codes = dict.fromkeys(error.code for error in kind.errors)
    return KindInfo(
        name=kind.name,
        title=dict(kind.title),
        stages=[StageInfo(name=name, title=dict(title)) for name, title in kind.stage_titles.items()],
        submit_url=path + kind.submission.path,
        request_schema=kind.request_model.__name__,
        errors=[_error(code, kind.error_advice) for code in codes],
    )


def _error(code: str, advice: Mapping[str, Texts]) -> ErrorInfo:
    texts = advice.get(code)
    return ErrorInfo(code=code, advice=dict(texts)) if texts else ErrorInfo(code=code)
