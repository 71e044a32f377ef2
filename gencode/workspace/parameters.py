"""What several operations of the workspace read from a request."""

from __future__ import annotations

from starlette.requests import Request

from gencode.http.dependencies import get_principal
from gencode.http.parameter_types import Text
from gencode.workspace.identity.actor import Actor
from gencode.workspace.identity.sessions import Client
from gencode.workspace.resources.models import PRINTABLE

PRINTABLE_TEXT = Text(pattern=PRINTABLE, rule="characters", message="has control characters")
"""PostgreSQL can store, and compare with, no NUL."""


def id_in_path(request: Request) -> str:
    """Of a path with `{id:uuid}`."""
    return str(request.path_params["id"])


def actor_of(request: Request) -> Actor:
    return Actor(id=get_principal(request).id, address=client_of(request).address)


def client_of(request: Request) -> Client:
    address = request.client.host if request.client else ""
    return Client(user_agent=request.headers.get("user-agent", ""), address=address)
