"""An ASGI application that is imported for its first request."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send


class LazyApp:
    """The application that a function of a module makes. The module is imported in a thread: neither the
    start of the service nor its other requests wait for it.

        LazyApp("gencode.embedded.forge.app", "forge_app", folder, url, token)
    """

    def __init__(self, module: str, function: str, *arguments: object) -> None:
        self._module, self._function, self._arguments = module, function, arguments
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            module = await anyio.to_thread.run_sync(import_module, self._module)
            self._app = self._made(module)
        await self._app(scope, receive, send)

    def _made(self, module: Any) -> ASGIApp:
        """Another request may have made it meanwhile."""
        app: ASGIApp = self._app or getattr(module, self._function)(*self._arguments)
        return app
