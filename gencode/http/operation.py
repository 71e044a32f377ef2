"""The declaration of an HTTP operation, from which routes, validation and the OpenAPI document follow.

@operation("cancelTask", "POST /task/{task_id}/cancel", "Cancel a task",
           traits=(OWN_TASK,), responses=(CANCELLED,), errors=(AlreadyFinished,))
async def cancel(request: Request) -> Response: ...

api = OperationGroup(prefix="/api/v1", operations=(cancel, ...), errors=(Unauthorized,))
routes = api.routes()
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gencode.domain.errors import GencodeError, Malformed
from gencode.domain.phrase import Phrase
from gencode.http.body_specs import Body
from gencode.http.parameter_types import DECLARED_INPUTS, JsonSchema, Parameter
from gencode.http.response_specs import Header, ResponseSpec

Endpoint = Callable[[Request], Awaitable[Response]]
OPERATION = "gencode.operation"
"""The key in the ASGI scope of the operation that a request matched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorResponse:
    """An error with a description that fits this operation better than the class's own `meaning`.

    headers   that the response has besides those of every such error
    """

    error: type[GencodeError]
    description: str
    headers: tuple[Header, ...] = ()


DeclaredError = type[GencodeError] | ErrorResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class Trait:
    """What several operations have in common, described once.

    path_schemas  of path parameters, by name; the default is any text
    headers       of every response below 300
    """

    path_schemas: Mapping[str, JsonSchema] = field(default_factory=dict)
    parameters: tuple[Parameter[Any], ...] = ()
    headers: tuple[Header, ...] = ()
    errors: tuple[DeclaredError, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One method of one path.

    name        operationId of the document
    security    schemes that are accepted besides those of the group
    is_public   it is answered without authentication
    """

    name: str
    method: str
    path: str
    summary: str
    endpoint: Endpoint
    traits: tuple[Trait, ...] = ()
    parameters: tuple[Parameter[Any], ...] = ()
    body: Body | None = None
    responses: tuple[ResponseSpec, ...]
    errors: tuple[DeclaredError, ...] = ()
    security: tuple[str, ...] = ()
    is_public: bool = False

    def all_parameters(self) -> list[Parameter[Any]]:
        return [*(parameter for trait in self.traits for parameter in trait.parameters), *self.parameters]

    def all_errors(self) -> list[DeclaredError]:
        """All errors; the operation's own come last, since their descriptions take precedence."""
        of_body = self.body.errors if self.body else ()
        return [*of_body, *(error for trait in self.traits for error in trait.errors), *self.errors]

    @cached_property
    def inputs(self) -> frozenset[object]:
        return frozenset([*self.all_parameters(), *([self.body] if self.body else ())])

    async def call(self, request: Request) -> Response:
        """Raises Malformed for a body that the method cannot have."""
        if request.method in ("GET", "HEAD") and _has_body(request.headers):
            raise Malformed(Phrase("{method} takes no body", method=request.method))
        request.scope[DECLARED_INPUTS] = self.inputs
        request.scope[OPERATION] = self
        return await self.endpoint(request)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def operation(
    name: str,
    route: str,
    summary: str,
    *,
    responses: tuple[ResponseSpec, ...],
    traits: tuple[Trait, ...] = (),
    parameters: tuple[Parameter[Any], ...] = (),
    body: Body | None = None,
    errors: tuple[DeclaredError, ...] = (),
    security: tuple[str, ...] = (),
    is_public: bool = False,
) -> Callable[[Endpoint], Operation]:
    """Decorates an endpoint. `route`: the method and the path below its group's prefix, with Starlette's
    converters, such as "GET /task/{task_id}"."""
    method, _, path = route.partition(" ")

    def declare(endpoint: Endpoint) -> Operation:
        return Operation(
            name=name,
            method=method,
            path=path,
            summary=summary,
            endpoint=endpoint,
            traits=traits,
            parameters=parameters,
            body=body,
            responses=responses,
            errors=errors,
            security=security,
            is_public=is_public,
        )

    return declare


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationGroup:
    """Operations below one prefix with the same security. `errors`: of the middlewares before them."""

    prefix: str = ""
    operations: tuple[Operation, ...]
    security: tuple[str, ...] = ()
    errors: tuple[DeclaredError, ...] = ()

    @property
    def public_paths(self) -> frozenset[str]:
        """Below the prefix."""
        return frozenset(operation.path for operation in self.operations if operation.is_public)

    def routes(self) -> list[Route]:
        """One route for each path, so that a 405 names all its methods. Paths are below the prefix."""
        by_path: dict[str, list[Operation]] = {}
        for operation in self.operations:
            by_path.setdefault(operation.path, []).append(operation)
        return [_route(path, operations) for path, operations in by_path.items()]


def _route(path: str, operations: Sequence[Operation]) -> Route:
    endpoints = {operation.method: operation.call for operation in operations}
    if len(endpoints) != len(operations):
        raise ValueError(f"two operations have the same method of {path}")
    endpoint = next(iter(endpoints.values())) if len(endpoints) == 1 else _by_method(endpoints)
    return Route(path, endpoint, methods=list(endpoints), name=operations[0].name)


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    methods = {**endpoints, **({"HEAD": endpoints["GET"]} if "GET" in endpoints else {})}

    async def call(request: Request) -> Response:
        return await methods[request.method](request)

    return call
