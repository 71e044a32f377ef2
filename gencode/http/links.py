"""Addresses of tasks in responses: absolute paths, also below the path of a host application."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

API = "/api/v1"


def api(request: Request) -> str:
    """The path of the API from the root of the server; for endpoints below it.

    It follows from where the application is mounted, never from what the client sends.
    """
    return quote(request.scope.get("root_path", "")) or API


def status_url(api: str, task_id: str) -> str:
    return f"{api}/status/{task_id}"


def task_url(api: str, task_id: str) -> str:
    return f"{api}/task/{task_id}"


class RootPathMiddleware:
    """ASGI: the application as if it were mounted at ROOT_PATH, for a proxy that serves it there.

    Some proxies remove the path before they forward a request, some do not: both work. In ASGI, `path`
    includes it.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        full = path if f"{path}/".startswith(f"{self._root}/") else self._root + path
        await self._app({**scope, "path": full, "root_path": self._root}, receive, send)
