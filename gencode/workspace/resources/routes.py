"""The five operations of a resource: list, create, get, change, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import create_model
from starlette.requests import Request
from starlette.responses import Response

from gencode.http.base_models import ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import Parameter, Text, one_of
from gencode.http.response_specs import Header, JsonResponseSpec, ResponseSpec
from gencode.workspace.errors import AlreadyTaken, VersionChanged
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, PRINTABLE_TEXT, actor_of, id_in_path
from gencode.workspace.resources.access import Action
from gencode.workspace.resources.addresses import check_addresses
from gencode.workspace.resources.cursors import cursor_after, read_cursor
from gencode.workspace.resources.declaration import Resource, T, V, plural
from gencode.workspace.resources.store import PageQuery, ResourceStore
from gencode.workspace.workspace import Workspace

SORTED_BY: dict[str, type[Any]] = {"created_at": datetime, "name": str}
"""Columns of every resource that lists can be sorted by, and their types."""
_SORTS = [*SORTED_BY, *(f"-{name}" for name in SORTED_BY)]
_METHODS = {Action.CHANGE: "PATCH", Action.DELETE: "DELETE"}
ETAG = Header(name="ETag", description="Its version")
ALLOW = Header(name="Allow", description="What its caller may do with it: GET, and PATCH or DELETE")
DELETED = ResponseSpec(status=204, description="It is deleted")
TEXT = Parameter(
    name="q", location="query", description="A part of the name", type=PRINTABLE_TEXT, default=""
)
SORT = Parameter(
    name="sort",
    location="query",
    description="A column, with - before it in descending order",
    type=one_of(*_SORTS),
    default="-created_at",
)
IF_MATCH = Parameter(
    name="If-Match",
    location="header",
    description="Only if it is still of this version (its ETag)",
    type=Text(pattern=r'^(\*|(W/)?"[0-9]{1,9}")$', message='send an ETag of this resource, such as "3"'),
    default=None,
)


def operations_of(resource: Resource[T, V]) -> Sequence[Operation]:
    """In the order of `Resource.operation_names`."""
    return (
        list_operation(resource),
        _create(resource),
        _get(resource),
        _change(resource),
        _delete(resource),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ListWithin:
    """A further list of a resource, of the rows whose `column` has the id in the path.

    parent    the resource of what the path names: who may not read that gets NotFound
    """

    name: str
    path: str
    summary: str
    column: str
    parent: Resource[Any, Any]


def list_operation(resource: Resource[T, V], within: ListWithin | None = None) -> Operation:
    """The list of all rows, or of those within another resource."""
    page_model, page = _page_of(resource)
    filters = filters_of(resource, within.column if within else "")

    @operation(
        within.name if within else resource.operation_names[0],
        f"GET {within.path if within else resource.path}",
        within.summary if within else f"List {plural(resource.title)}",
        traits=(ONE,) if within else (),
        parameters=(LIMIT, CURSOR, SORT, TEXT, *filters),
        responses=(page,),
    )
    async def list_rows(request: Request) -> Response:
        query = page_query(request, given_filters(request, filters))
        if within:
            await require_readable(request, within.parent)
            query = replace(query, filters={**query.filters, within.column: id_in_path(request)})
        return page.make(page_model.model_validate(await read_page(request, resource, query)))

    return list_rows


async def require_readable(request: Request, resource: Resource[Any, Any]) -> None:
    """Raises NotFound for who may not read the row that the path names."""
    await _store(request, resource).get(id_in_path(request), get_principal(request).id)


def _page_of(resource: Resource[T, V]) -> tuple[type[ResponseModel], JsonResponseSpec[Any]]:
    item_model = resource.item_model or resource.view_model
    page_model = create_model(
        f"{resource.name}Page",
        __base__=ResponseModel,
        items=(list[item_model], ...),  # type: ignore[valid-type]
        next_cursor=(str | None, ...),
    )
    return page_model, JsonResponseSpec(
        model=page_model, description="One's own, and those that others share"
    )


def filters_of(resource: Resource[Any, Any], without: str = "") -> Sequence[Parameter[Any]]:
    """The parameters that restrict a list to one value of a column."""
    return [
        Parameter(
            name=name,
            location="query",
            description=f"Only with this {name}",
            type=PRINTABLE_TEXT,
            default=None,
        )
        for name in resource.filters
        if name != without
    ]


def given_filters(request: Request, filters: Sequence[Parameter[Any]]) -> dict[str, str]:
    given = {one.name: one.read(request) for one in filters}
    return {name: value for name, value in given.items() if value is not None}


async def read_page(request: Request, resource: Resource[T, V], query: PageQuery) -> dict[str, Any]:
    """`items` and `next_cursor`."""
    store, item = _store(request, resource), resource.item or resource.view
    rows = await store.page(query, get_principal(request).id)
    shown, has_more = rows[: query.limit], len(rows) > query.limit
    await store.prepare_view(shown)
    after = cursor_after(getattr(shown[-1], query.sort), shown[-1].id) if has_more else None
    return {"items": [item(row) for row in shown], "next_cursor": after}


def _create(resource: Resource[T, V]) -> Operation:
    body = JsonBody(model=resource.creation)
    created = JsonResponseSpec(
        status=201, model=resource.view_model, description=f"The new {resource.title}", headers=(ETAG,)
    )

    @operation(
        resource.operation_names[1],
        f"POST {resource.path}",
        f"Create a {resource.title}",
        body=body,
        responses=(created,),
        errors=(AlreadyTaken, *resource.errors),
    )
    async def create(request: Request) -> Response:
        values = (await body.read(request)).model_dump(mode="json")
        await check_addresses(request, resource, values)
        store = _store(request, resource)
        row = await store.create(values, actor_of(request))
        await store.prepare_view([row])
        return created.make(resource.view(row), {"ETag": etag(row.version)})

    return create


def _get(resource: Resource[T, V]) -> Operation:
    found = JsonResponseSpec(
        model=resource.view_model, description=f"The {resource.title}", headers=(ETAG, ALLOW)
    )

    @operation(
        resource.operation_names[2],
        f"GET {resource.path}/{{id:uuid}}",
        f"Show a {resource.title}",
        traits=(ONE,),
        responses=(found,),
    )
    async def get(request: Request) -> Response:
        store, principal = _store(request, resource), get_principal(request).id
        row = await store.get(id_in_path(request), principal)
        await store.prepare_view([row])
        methods = [_METHODS[action] for action in await store.allowed_actions(row, principal)]
        headers = {"ETag": etag(row.version), "Allow": ", ".join(["GET", *methods])}
        return found.make(resource.view(row), headers)

    return get


def _change(resource: Resource[T, V]) -> Operation:
    body = JsonBody(model=resource.change)
    changed = JsonResponseSpec(
        model=resource.view_model, description=f"The changed {resource.title}", headers=(ETAG,)
    )

    @operation(
        resource.operation_names[3],
        f"PATCH {resource.path}/{{id:uuid}}",
        f"Change a {resource.title}",
        traits=(ONE,),
        parameters=(IF_MATCH,),
        body=body,
        responses=(changed,),
        errors=(AlreadyTaken, VersionChanged, *resource.errors),
    )
    async def change(request: Request) -> Response:
        version = read_version(IF_MATCH.read(request))
        changes = (await body.read(request)).model_dump(mode="json", exclude_unset=True)
        await check_addresses(request, resource, changes)
        store = _store(request, resource)
        row = await store.change(id_in_path(request), changes, actor_of(request), version)
        await store.prepare_view([row])
        return changed.make(resource.view(row), {"ETag": etag(row.version)})

    return change


def _delete(resource: Resource[T, V]) -> Operation:
    @operation(
        resource.operation_names[4],
        f"DELETE {resource.path}/{{id:uuid}}",
        f"Delete a {resource.title}",
        traits=(ONE,),
        parameters=(IF_MATCH,),
        responses=(DELETED,),
        errors=(VersionChanged, *resource.errors),
    )
    async def delete(request: Request) -> Response:
        version = read_version(IF_MATCH.read(request))
        await _store(request, resource).delete(id_in_path(request), actor_of(request), version)
        return Response(status_code=DELETED.status)

    return delete


def _store(request: Request, resource: Resource[T, V]) -> ResourceStore[T, V]:
    workspace = get_extension(request, Workspace)
    return workspace.resource(resource)


def page_query(request: Request, filters: dict[str, str]) -> PageQuery:
    """Raises Invalid."""
    sort, cursor = SORT.read(request), CURSOR.read(request)
    column = sort.removeprefix("-")
    return PageQuery(
        limit=LIMIT.read(request),
        sort=column,
        descending=sort.startswith("-"),
        after=read_cursor(cursor, SORTED_BY[column]) if cursor else None,
        filters=filters,
        text=TEXT.read(request),
    )


def etag(version: int) -> str:
    return f'"{version}"'


def read_version(if_match: str | None) -> int | None:
    """None for any version."""
    return int(if_match.strip('W/"')) if if_match and if_match != "*" else None
