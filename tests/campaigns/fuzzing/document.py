"""What the OpenAPI document of a service says: operations, their inputs, and checks of their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import httpx
import jsonschema_rs

from tests.campaigns.fuzzing.values import Schema, resolved

PROBLEM = "application/problem+json"
UNAVAILABLE = (503, 507)
"""With which the service may refuse for a while, where the document says so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """An operation of the document."""

    name: str
    method: str
    path: str
    parameters: Sequence[Schema]
    media_type: str
    body: Schema
    is_public: bool
    responses: Mapping[str, Any] = field(repr=False)

    @property
    def has_body(self) -> bool:
        return bool(self.media_type)

    @property
    def path_names(self) -> list[str]:
        return [str(one["name"]) for one in self.parameters if one["in"] == "path"]

    def inputs(self, place: str) -> list[Schema]:
        return [one for one in self.parameters if one["in"] == place]


class Document:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.schemas: Mapping[str, Schema] = document["components"]["schemas"]
        self._components = {"components": document["components"]}
        self._paths = document["paths"]
        self._validators: dict[str, Any] = {}

    @cached_property
    def operations(self) -> list[Described]:
        return list(self._operations())

    @cached_property
    def field_names(self) -> list[str]:
        """Of all bodies."""
        models = [resolved(one.body, self.schemas) for one in self.operations if one.has_body]
        return sorted({name for model in models for name in model.get("properties", {})})

    def faults(self, operation: Described, response: httpx.Response) -> Iterator[str]:
        """What the document does not say of the answer."""
        status, media_type = response.status_code, response.headers.get("content-type", "").partition(";")[0]
        described = operation.responses.get(str(status))
        if status >= 500 and not (described and status in UNAVAILABLE):
            yield f"status {status}"
        if described is None and status < 400:
            yield f"the status {status} is not described"
        content = (described or operation.responses["default"]).get("content", {})
        if not content:
            if response.content:
                yield f"a body with the status {status}, which is described without one"
            return
        if media_type not in content:
            yield f"the status {status} with the media type {media_type!r}"
        elif media_type.endswith("json"):
            yield from self._schema_faults(content[media_type]["schema"], response.content)

    def _schema_faults(self, schema: Schema, body: bytes) -> Iterator[str]:
        try:
            value = json.loads(body)
        except ValueError as error:
            yield f"the body is no JSON: {error}"
            return
        for broken in islice(self._validator(schema).iter_errors(value), 1):
            where = "/".join(map(str, broken.instance_path))
            yield f"the answer breaks its schema at {where!r}: {broken.message[:200]}"

    def _validator(self, schema: Schema) -> Any:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.Draft202012Validator({**schema, **self._components})
        return self._validators[key]

    def _operations(self) -> Iterator[Described]:
        for path, item in self._paths.items():
            for method, operation in item.items():
                content = operation.get("requestBody", {}).get("content", {})
                media_type = next(iter(content), "")
                yield Described(
                    name=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    parameters=operation.get("parameters", ()),
                    media_type=media_type,
                    body=content[media_type].get("schema", {}) if media_type else {},
                    is_public=not operation.get("security"),
                    responses=operation["responses"],
                )
