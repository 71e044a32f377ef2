"""Addresses of tasks, as answers give them: absolute paths, also under the path of a host application."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

API = "/api/v1"


def api(request: Request) -> str:
    """The path of the API, from the root of the host that was asked; for endpoints below it.

    It is made of where the application is mounted, never of what the client says.
    """
    return quote(request.scope.get("root_path", "")) or API


def status_url(api: str, task_id: str) -> str:
    return f"{api}/status/{task_id}"


def task_url(api: str, task_id: str) -> str:
    return f"{api}/task/{task_id}"


class UnderPath:
    """ASGI: the application as if it were mounted at ROOT_PATH, for a proxy that shows it there.

    Some proxies cut the path off before they pass a request on, some do not: both are understood. ASGI wants
    `path` to hold it.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        whole = path if f"{path}/".startswith(f"{self._root}/") else self._root + path
        await self._app({**scope, "path": whole, "root_path": self._root}, receive, send)
