"""Responses of an operation. An endpoint makes its response through the object that describes it.

ACCEPTED = JsonResponseSpec(status=202, model=Accepted, description="The task is stored")
...
return ACCEPTED.make(Accepted(...), {"Location": url})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from gencode.domain.event import dump
from gencode.http.parameter_types import JsonSchema

M = TypeVar("M", bound=BaseModel)


def schema_ref(model: type[BaseModel]) -> JsonSchema:
    """The reference to a model's schema in the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Header:
    """A response header."""

    name: str
    description: str
    schema: JsonSchema = field(default_factory=lambda: {"type": "string"})

    def to_openapi(self) -> JsonSchema:
        return {"description": self.description, "schema": self.schema}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ResponseSpec:
    """A response without a body or, with `media_type`, one whose body the endpoint writes itself: an event
    stream, a file."""

    status: int = 200
    description: str
    headers: tuple[Header, ...] = ()
    media_type: str = ""
    schema: JsonSchema = field(default_factory=lambda: {"type": "string"})

    def models(self) -> tuple[type[BaseModel], ...]:
        return ()

    def content(self) -> JsonSchema:
        return {self.media_type: {"schema": self.schema}} if self.media_type else {}

    def to_openapi(self, more_headers: tuple[Header, ...] = ()) -> JsonSchema:
        headers = {header.name: header.to_openapi() for header in (*more_headers, *self.headers)}
        content = self.content()
        return (
            {"description": self.description}
            | ({"headers": headers} if headers else {})
            | ({"content": content} if content else {})
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonResponseSpec(ResponseSpec, Generic[M]):
    """A response whose body is a model; mypy checks that only that model is sent."""

    model: type[M]
    media_type: str = "application/json"

    def make(self, body: M, headers: Mapping[str, str] | None = None) -> Response:
        """Responds with the model as JSON. Not cacheable: the body describes the current state."""
        return Response(
            json_text(body), self.status, {"Cache-Control": "no-store", **(headers or {})}, self.media_type
        )

    def models(self) -> tuple[type[BaseModel], ...]:
        return (self.model,)

    def content(self) -> JsonSchema:
        return {self.media_type: {"schema": schema_ref(self.model)}}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonDataSpec(ResponseSpec):
    """A response whose body is a dict that no model has validated. `model` describes it in the document; it
    is called when the document is made."""

    model: Callable[[], type[BaseModel]]
    media_type: str = "application/json"

    def make(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
        return self.make_json(dump(body), headers)

    def make_json(self, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """Responds with encoded JSON. Not cacheable: the body describes the current state."""
        return Response(body, self.status, {"Cache-Control": "no-store", **(headers or {})}, self.media_type)

    def models(self) -> tuple[type[BaseModel], ...]:
        return (self.model(),)

    def content(self) -> JsonSchema:
        return {self.media_type: {"schema": schema_ref(self.model())}}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JsonOfKindsSpec(ResponseSpec):
    """A JSON object whose model depends on the kind of the task; sent as a dict."""

    kind_models: tuple[type[BaseModel], ...]
    media_type: str = "application/json"

    def make(self, body: Mapping[str, Any]) -> Response:
        """Responds with encoded JSON. Not cacheable: the body describes the current state."""
        return Response(dump(body), self.status, {"Cache-Control": "no-store"}, self.media_type)

    def models(self) -> tuple[type[BaseModel], ...]:
        return self.kind_models

    def content(self) -> JsonSchema:
        schemas = [schema_ref(model) for model in self.kind_models]
        return {self.media_type: {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}}


def json_text(body: BaseModel) -> str:
    """The model as JSON, without the fields that were not set."""
    return body.model_dump_json(exclude_unset=True)
