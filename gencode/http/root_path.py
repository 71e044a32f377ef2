"""The middleware for ROOT_PATH: the path under which a reverse proxy serves the service."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """Serves the application as if it were mounted at ROOT_PATH, for a proxy that serves it there.

    Some proxies remove ROOT_PATH before they forward a request, some do not: both work. The `path` of an ASGI
    scope includes the root path.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        full = path if f"{path}/".startswith(f"{self._root}/") else self._root + path
        await self._app({**scope, "path": full, "root_path": self._root}, receive, send)
