"""What several operations of the workspace read from a request."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request

from gencode.domain.errors import NotFound
from gencode.http.dependencies import get_principal
from gencode.http.parameter_types import Text
from gencode.workspace.identity.actor import Actor
from gencode.workspace.identity.sessions import Client

PRINTABLE_TEXT = Text(
    check=str.isprintable, rule="characters", message="has characters that are not printable"
)
"""PostgreSQL can store, and compare with, no NUL."""


def id_in_path(request: Request) -> str:
    """The id in the path. Raises NotFound for what is no id."""
    try:
        return str(UUID(request.path_params["id"]))
    except ValueError:
        raise NotFound("there is nothing with this id") from None


def actor_of(request: Request) -> Actor:
    return Actor(id=get_principal(request).id, address=client_of(request).address)


def client_of(request: Request) -> Client:
    address = request.client.host if request.client else ""
    return Client(user_agent=request.headers.get("user-agent", ""), address=address)
