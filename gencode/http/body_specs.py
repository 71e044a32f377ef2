"""Request bodies of an operation. An endpoint reads the body through the object that describes it, when it
chooses to: a task that does not exist is answered 404 before the body is read.

    EDIT = JsonBody(model=PlanEdit)
    ...
    edit = await EDIT.read(request)  # a PlanEdit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request

from gencode.domain.errors import BodyTooLarge, GencodeError, Invalid, Malformed, UnsupportedMedia
from gencode.domain.phrase import Phrase
from gencode.http.form_fields import form_fields
from gencode.http.parameter_types import JsonSchema, require_declared
from gencode.http.response_specs import schema_ref
from gencode.http.strict_json import parse, validate

M = TypeVar("M", bound=BaseModel)
LARGE_BODY = 64 * 1024
"""Bytes above which a body is parsed in a thread."""
JSON_ERRORS = (Malformed, BodyTooLarge, UnsupportedMedia, Invalid)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Body:
    """Bytes of one media type, which the endpoint parses itself. `is_file`: see `gencode.http.file_body`."""

    media_type: str
    schema: JsonSchema = field(default_factory=dict)
    is_required: bool = True
    errors: tuple[type[GencodeError], ...] = (Malformed, BodyTooLarge)
    is_file: bool = False

    async def read_bytes(self, request: Request) -> bytes:
        require_declared(request, self)
        return await request.body()

    def models(self) -> tuple[type[BaseModel], ...]:
        return ()

    def content_schema(self) -> JsonSchema:
        return self.schema

    def to_openapi(self) -> JsonSchema:
        required = {"required": True} if self.is_required else {}
        return required | {"content": {self.media_type: {"schema": self.content_schema()}}}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonBody(Body, Generic[M]):
    """`pattern_messages`: see `gencode.http.strict_json.validate`."""

    model: type[M]
    media_type: str = "application/json"
    errors: tuple[type[GencodeError], ...] = JSON_ERRORS
    pattern_messages: Mapping[str, str] = field(default_factory=dict)

    async def read(self, request: Request) -> M:
        """Reads and validates the body. Raises UnsupportedMedia, Malformed, Invalid."""
        return await _read_json(request, self, self.model, self.pattern_messages)

    def models(self) -> tuple[type[BaseModel], ...]:
        return (self.model,)

    def content_schema(self) -> JsonSchema:
        return schema_ref(self.model)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FormBody(Body, Generic[M]):
    """The fields of a form, such as OAuth 2 sends; the model's fields are texts."""

    model: type[M]
    media_type: str = "application/x-www-form-urlencoded"
    errors: tuple[type[GencodeError], ...] = JSON_ERRORS

    async def read(self, request: Request) -> M:
        """Reads and validates the body. Raises UnsupportedMedia, Malformed, Invalid."""
        require_declared(request, self)
        require_media_type(request, self)
        return validate(self.model, form_fields(await request.body()), {})

    def models(self) -> tuple[type[BaseModel], ...]:
        return (self.model,)

    def content_schema(self) -> JsonSchema:
        return schema_ref(self.model)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonBodyOfKinds(Body):
    """A JSON object whose model depends on the kind of the task that the operation is for."""

    request_models: tuple[type[BaseModel], ...]
    media_type: str = "application/json"
    errors: tuple[type[GencodeError], ...] = JSON_ERRORS

    async def read_optional(self, request: Request, model: type[M]) -> M | None:
        """Reads and validates the body; None if it is empty. Raises UnsupportedMedia, Malformed, Invalid."""
        return await _read_json(request, self, model, {}) if await self.read_bytes(request) else None

    def models(self) -> tuple[type[BaseModel], ...]:
        return self.request_models

    def content_schema(self) -> JsonSchema:
        if len(self.request_models) == 1:
            return schema_ref(self.request_models[0])
        return {"anyOf": [schema_ref(model) for model in self.request_models]} if self.request_models else {}


async def _read_json(request: Request, declared: Body, model: type[M], messages: Mapping[str, str]) -> M:
    require_declared(request, declared)
    require_media_type(request, declared)
    body = await request.body()
    if len(body) <= LARGE_BODY:
        return parse(model, body, messages)
    return await anyio.to_thread.run_sync(partial(parse, model, body, messages))


def require_media_type(request: Request, declared: Body) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != declared.media_type:
        raise UnsupportedMedia(
            Phrase("send the body as 'Content-Type: {media_type}'", media_type=declared.media_type)
        )
