"""Runs the MCP library, which is imported at the first request of an assistant."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.to_thread
import structlog
from starlette.types import Receive, Scope, Send

from gencode.domain.errors import ShuttingDown
from gencode.http.tool_declaration import Tool

log = structlog.get_logger(__name__)

_SERVER = "gencode.mcp.server"
"""Imported at the first request: the import takes half a second, and most services never need it."""


class MCPRuntime:
    """The library's session manager and its task group, which begins and ends in `run`."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._requested = anyio.Event()
        self._ready = anyio.Event()
        self._manager: Any = None

    async def run(self, tools: Sequence[Tool]) -> None:
        """Serve the tools until cancelled."""
        await self._requested.wait()
        try:
            server = await anyio.to_thread.run_sync(importlib.import_module, _SERVER)
            manager = server.session_manager(tools, self._max_body)
            async with manager.run():
                self._manager = manager
                self._ready.set()
                await anyio.sleep_forever()
        except Exception:
            log.exception("assistants cannot be served: the library mcp does not work")
        finally:
            self._manager = None
            self._ready.set()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request. Raises ShuttingDown if the library could not be started or has stopped."""
        self._requested.set()
        await self._ready.wait()
        if not self._manager:
            raise ShuttingDown("assistants are not served now; see the service's log")
        await self._manager.handle_request(scope, receive, send)
