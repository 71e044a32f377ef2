"""What several operations of the workspace read from a request."""

from __future__ import annotations

from starlette.requests import Request

from gencode.domain.errors import NotFound
from gencode.http.base_models import UUID_SCHEMA
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Trait
from gencode.http.parameter_types import Integer, Parameter, Text
from gencode.workspace.identity.actor import Actor
from gencode.workspace.identity.client_address import client_address
from gencode.workspace.identity.sessions import Client
from gencode.workspace.resources.models import PRINTABLE
from gencode.workspace.workspace import Workspace

PRINTABLE_TEXT = Text(pattern=PRINTABLE, rule="characters", message="has control characters")
"""PostgreSQL can store, and compare with, no NUL."""


LIMIT = Parameter(
    name="limit",
    location="query",
    description="Items on a page",
    type=Integer(minimum=1, maximum=100),
    default=20,
)
CURSOR = Parameter(
    name="cursor",
    location="query",
    description="`next_cursor` of the page before",
    type=PRINTABLE_TEXT,
    default="",
)


def position_cursor(maximum: int) -> Parameter[int]:
    """The cursor of a list whose entries have growing positions, `maximum` at most."""
    return Parameter(
        name="cursor",
        location="query",
        description="`next_cursor` of the page before: entries with lower positions",
        type=Integer(minimum=1, maximum=maximum),
        default=maximum,
    )


ONE = Trait(path_schemas={"id": UUID_SCHEMA}, errors=(NotFound,))
"""The trait of operations on what the id in their path names."""


def id_in_path(request: Request) -> str:
    """Of a path with `{id:uuid}`."""
    return str(request.path_params["id"])


def actor_of(request: Request) -> Actor:
    return Actor(id=get_principal(request).id, address=client_of(request).address)


def client_of(request: Request) -> Client:
    peer = request.client.host if request.client else ""
    forwarded = request.headers.getlist("x-forwarded-for")
    address = client_address(peer, forwarded, get_extension(request, Workspace).trusted_proxies)
    return Client(user_agent=request.headers.get("user-agent", ""), address=address)
