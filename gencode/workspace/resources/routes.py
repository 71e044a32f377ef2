"""The five operations of a resource: list, create, get, change, delete."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import create_model
from starlette.requests import Request
from starlette.responses import Response

from gencode.http.base_models import ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import Header, JsonResponseSpec, ResponseSpec
from gencode.workspace.errors import AlreadyTaken, VersionChanged
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, PRINTABLE_TEXT, actor_of, id_in_path
from gencode.workspace.resources.cursors import cursor_after, read_cursor
from gencode.workspace.resources.declaration import Resource, T, V, plural
from gencode.workspace.resources.store import PageQuery, ResourceStore
from gencode.workspace.workspace import Workspace

SORTED_BY: dict[str, type[Any]] = {"created_at": datetime, "name": str}
"""Columns of every resource that lists can be sorted by, and their types."""
_SORTS = [*SORTED_BY, *(f"-{name}" for name in SORTED_BY)]
ETAG = Header(name="ETag", description="Its version")
DELETED = ResponseSpec(status=204, description="It is deleted")
TEXT = Parameter(
    name="q", location="query", description="A part of the name", type=PRINTABLE_TEXT, default=""
)
SORT = Parameter(
    name="sort",
    location="query",
    description="A column, with - before it in descending order",
    type=Text(
        pattern=f"^({'|'.join(map(re.escape, _SORTS))})$",
        rule="enum",
        message=f"is none of {', '.join(_SORTS)}",
    ),
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
        _list(resource),
        _create(resource),
        _get(resource),
        _change(resource),
        _delete(resource),
    )


def _list(resource: Resource[T, V]) -> Operation:
    item_model, item = resource.item_model or resource.view_model, resource.item or resource.view
    page_model = create_model(
        f"{resource.name}Page",
        __base__=ResponseModel,
        items=(list[item_model], ...),  # type: ignore[valid-type]
        next_cursor=(str | None, ...),
    )
    page = JsonResponseSpec(model=page_model, description="One's own, and those that others share")
    filters = [
        Parameter(
            name=name,
            location="query",
            description=f"Only with this {name}",
            type=PRINTABLE_TEXT,
            default=None,
        )
        for name in resource.filters
    ]

    @operation(
        resource.operation_names[0],
        f"GET {resource.path}",
        f"List {plural(resource.title)}",
        parameters=(LIMIT, CURSOR, SORT, TEXT, *filters),
        responses=(page,),
    )
    async def list_rows(request: Request) -> Response:
        given = {one.name: one.read(request) for one in filters}
        query = _page_query(request, {name: value for name, value in given.items() if value is not None})
        store = _store(request, resource)
        rows = await store.page(query, get_principal(request).id)
        shown, has_more = rows[: query.limit], len(rows) > query.limit
        await store.prepare_view(shown)
        after = cursor_after(getattr(shown[-1], query.sort), shown[-1].id) if has_more else None
        body = {"items": [item(row) for row in shown], "next_cursor": after}
        return page.make(page_model.model_validate(body))

    return list_rows


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
        errors=(AlreadyTaken,),
    )
    async def create(request: Request) -> Response:
        values = (await body.read(request)).model_dump(mode="json")
        store = _store(request, resource)
        row = await store.create(values, actor_of(request))
        await store.prepare_view([row])
        return created.make(resource.view(row), {"ETag": _etag(row.version)})

    return create


def _get(resource: Resource[T, V]) -> Operation:
    found = JsonResponseSpec(model=resource.view_model, description=f"The {resource.title}", headers=(ETAG,))

    @operation(
        resource.operation_names[2],
        f"GET {resource.path}/{{id:uuid}}",
        f"Show a {resource.title}",
        traits=(ONE,),
        responses=(found,),
    )
    async def get(request: Request) -> Response:
        store = _store(request, resource)
        row = await store.get(id_in_path(request), get_principal(request).id)
        await store.prepare_view([row])
        return found.make(resource.view(row), {"ETag": _etag(row.version)})

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
        errors=(AlreadyTaken, VersionChanged),
    )
    async def change(request: Request) -> Response:
        version = _version(IF_MATCH.read(request))
        changes = (await body.read(request)).model_dump(mode="json", exclude_unset=True)
        store = _store(request, resource)
        row = await store.change(id_in_path(request), changes, actor_of(request), version)
        await store.prepare_view([row])
        return changed.make(resource.view(row), {"ETag": _etag(row.version)})

    return change


def _delete(resource: Resource[T, V]) -> Operation:
    @operation(
        resource.operation_names[4],
        f"DELETE {resource.path}/{{id:uuid}}",
        f"Delete a {resource.title}",
        traits=(ONE,),
        parameters=(IF_MATCH,),
        responses=(DELETED,),
        errors=(VersionChanged,),
    )
    async def delete(request: Request) -> Response:
        version = _version(IF_MATCH.read(request))
        await _store(request, resource).delete(id_in_path(request), actor_of(request), version)
        return Response(status_code=DELETED.status)

    return delete


def _store(request: Request, resource: Resource[T, V]) -> ResourceStore[T, V]:
    workspace = get_extension(request, Workspace)
    return workspace.resource(resource)


def _page_query(request: Request, filters: dict[str, str]) -> PageQuery:
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


def _etag(version: int) -> str:
    return f'"{version}"'


def _version(if_match: str | None) -> int | None:
    """None for any version."""
    return int(if_match.strip('W/"')) if if_match and if_match != "*" else None
