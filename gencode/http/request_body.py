"""Request bodies of an operation. An endpoint reads the body through the object that describes it, when it
chooses to: a task that does not exist is answered 404 before the body is read.

    EDIT = JsonBody(model=PlanEdit)
    ...
    edit = await EDIT.read(request)  # a PlanEdit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from gencode.domain.errors import BodyTooLarge, GencodeError, Invalid, Malformed, UnsupportedMedia
from gencode.http.parameters import JsonSchema, require_declared
from gencode.http.responses import schema_ref
from gencode.http.validation import parse_json, validate

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Body:
    """Bytes of one media type, which the endpoint parses itself."""

    media_type: str
    schema: JsonSchema = field(default_factory=dict)
    is_required: bool = True
    errors: tuple[type[GencodeError], ...] = (Malformed, BodyTooLarge)

    async def read_bytes(self, request: Request) -> bytes:
        require_declared(request, self)
        return await request.body()

    def models(self) -> tuple[type[BaseModel], ...]:
        return ()

    def to_openapi(self) -> JsonSchema:
        required = {"required": True} if self.is_required else {}
        return required | {"content": {self.media_type: {"schema": self.schema}}}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonBody(Body, Generic[M]):
    """`pattern_messages`: see `gencode.http.validation.validate`."""

    model: type[M]
    media_type: str = "application/json"
    errors: tuple[type[GencodeError], ...] = (Malformed, BodyTooLarge, UnsupportedMedia, Invalid)
    pattern_messages: Mapping[str, str] = field(default_factory=dict)

    async def read(self, request: Request) -> M:
        """Raises UnsupportedMedia, Malformed, Invalid."""
        require_declared(request, self)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != self.media_type:
            raise UnsupportedMedia(f"send the body as 'Content-Type: {self.media_type}'")
        return validate(self.model, parse_json(await request.body()), self.pattern_messages)

    async def read_optional(self, request: Request) -> M | None:
        """None for an empty body."""
        return await self.read(request) if await self.read_bytes(request) else None

    def models(self) -> tuple[type[BaseModel], ...]:
        return (self.model,)

    def to_openapi(self) -> JsonSchema:
        required = {"required": True} if self.is_required else {}
        return required | {"content": {self.media_type: {"schema": schema_ref(self.model)}}}
