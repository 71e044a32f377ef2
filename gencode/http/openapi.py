"""The OpenAPI 3.1 document of declared operations, made when it is first requested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import compile_path

from gencode.domain.errors import GencodeError, Transient
from gencode.http.operation import DeclaredError, ErrorResponse, Operation, OperationGroup
from gencode.http.parameter_types import JsonSchema
from gencode.http.response_specs import Header, schema_ref

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = Header(name="Retry-After", description="Seconds", schema={"type": "integer", "minimum": 1})
WWW_AUTHENTICATE = Header(name="WWW-Authenticate", description="Bearer")


class OpenAPI:
    """Raises ValueError when two operations have the same name.

    info        makes the document's `info`
    everywhere  errors that any request can be answered with
    security    the schemes that groups and operations name
    problem     the model of every error; it has a field `code`
    """

    def __init__(
        self,
        groups: Sequence[OperationGroup],
        *,
        info: Callable[[], JsonSchema],
        everywhere: Sequence[type[GencodeError]],
        security: JsonSchema,
        problem: type[BaseModel],
    ) -> None:
        self._groups = tuple(groups)
        self._info = info
        self._everywhere = tuple(everywhere)
        self._security = security
        self._problem = problem
        names = [operation.name for operation in self._operations()]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"declared twice: {', '.join(sorted(repeated))}")

    @cached_property
    def document(self) -> JsonSchema:
        return {
            "openapi": "3.1.0",
            "info": self._info(),
            "paths": self._paths(),
            "components": {"schemas": self._schemas(), "securitySchemes": self._security},
        }

    def error_codes(self) -> list[str]:
        """All codes of error responses."""
        declared = [error for group in self._groups for error in group.errors]
        declared += [error for operation in self._operations() for error in operation.all_errors()]
        return sorted({_class(error).code for error in (*declared, *self._everywhere)})

    def declared_codes(self, operation: Operation) -> set[str]:
        """The codes of the errors that the operation declares."""
        of_group = [
            error for group in self._groups if operation in group.operations for error in group.errors
        ]
        return {_class(error).code for error in (*of_group, *operation.all_errors(), *self._everywhere)}

    def _operations(self) -> Iterator[Operation]:
        return (operation for group in self._groups for operation in group.operations)

    def _paths(self) -> JsonSchema:
        paths: JsonSchema = {}
        for group in self._groups:
            for operation in group.operations:
                _, path, converters = compile_path(group.prefix + operation.path)
                described = self._operation(group, operation, converters)
                paths.setdefault(path, {})[operation.method.lower()] = described
        return paths

    def _operation(self, group: OperationGroup, operation: Operation, converters: JsonSchema) -> JsonSchema:
        schemas = {name: schema for trait in operation.traits for name, schema in trait.path_schemas.items()}
        parameters = [_path_parameter(name, converters[name], schemas.get(name)) for name in converters]
        parameters += [parameter.to_openapi() for parameter in operation.all_parameters()]
        return (
            {
                "operationId": operation.name,
                "summary": operation.summary,
                "security": _security(group, operation),
                "responses": self._responses(group, operation),
            }
            | ({"parameters": parameters} if parameters else {})
            | ({"requestBody": operation.body.to_openapi()} if operation.body else {})
        )

    def _responses(self, group: OperationGroup, operation: Operation) -> JsonSchema:
        headers = tuple(header for trait in operation.traits for header in trait.headers)
        declared: JsonSchema = {}
        for response in operation.responses:
            described = response.to_openapi(headers if response.status < 300 else ())
            _merge(declared.setdefault(str(response.status), described), described)
        errors = self._errors([*group.errors, *operation.all_errors()])
        return errors | declared | {"default": self._error("Another problem: see its code", ())}

    def _errors(self, errors: Iterable[DeclaredError]) -> JsonSchema:
        by_status: dict[int, dict[str, DeclaredError]] = {}
        for error in errors:
            by_status.setdefault(_class(error).http_status, {})[_class(error).code] = error
        return {
            str(status): self._errors_of_status(list(by_status[status].values()))
            for status in sorted(by_status)
        }

    def _errors_of_status(self, errors: list[DeclaredError]) -> JsonSchema:
        description = "\n".join(f"- `{_class(error).code}`: {_description(error)}" for error in errors)
        headers = dict.fromkeys(header for error in errors for header in _headers(error))
        return self._error(description, tuple(headers))

    def _error(self, description: str, headers: tuple[Header, ...]) -> JsonSchema:
        described = {"headers": {header.name: header.to_openapi() for header in headers}} if headers else {}
        content = {PROBLEM_MEDIA_TYPE: {"schema": schema_ref(self._problem)}}
        return {"description": description, **described, "content": content}

    def _schemas(self) -> dict[str, Any]:
        operations = list(self._operations())
        requests = [model for one in operations if one.body for model in one.body.models()]
        responses = [model for one in operations for response in one.responses for model in response.models()]
        _, generated = models_json_schema(
            [
                *((model, "validation") for model in dict.fromkeys(requests)),
                *((model, "serialization") for model in dict.fromkeys([*responses, self._problem])),
            ],
            ref_template="#/components/schemas/{model}",
        )
        schemas: dict[str, Any] = generated["$defs"]
        if missing := {model.__name__ for model in (*requests, *responses)} - schemas.keys():
            raise ValueError(f"several models are named {', '.join(sorted(missing))}")
        schemas[self._problem.__name__]["properties"]["code"]["enum"] = self.error_codes()
        return schemas


def _merge(known: JsonSchema, other: JsonSchema) -> None:
    """Adds the media types of another response with the same status."""
    if "content" in other:
        known.setdefault("content", {}).update(other["content"])


def _class(error: DeclaredError) -> type[GencodeError]:
    return error.error if isinstance(error, ErrorResponse) else error


def _description(error: DeclaredError) -> str:
    return error.description if isinstance(error, ErrorResponse) else error.meaning or error.code


def _headers(error: DeclaredError) -> tuple[Header, ...]:
    """The headers that `gencode.http.problems` sends, and the declared ones."""
    cls, declared = _class(error), error.headers if isinstance(error, ErrorResponse) else ()
    if cls.http_status == 401:
        return (WWW_AUTHENTICATE, *declared)
    has_retry_after = issubclass(cls, Transient) and cls.http_status in (429, 503)
    return (RETRY_AFTER, *declared) if has_retry_after else declared


def _security(group: OperationGroup, operation: Operation) -> list[JsonSchema]:
    schemes = () if operation.is_public else (*group.security, *operation.security)
    return [{scheme: []} for scheme in schemes]


def _path_parameter(name: str, converter: Any, schema: JsonSchema | None) -> JsonSchema:
    default = {"type": "string"} | ({"minLength": 1} if converter.regex == ".*" else {})
    return {"name": name, "in": "path", "required": True, "schema": schema or default}
