"""What serves assistants, made when the first of them calls."""

from __future__ import annotations

import importlib
from typing import Any

import anyio
import anyio.to_thread
import structlog
from starlette.types import Receive, Scope, Send

from gencode.domain.errors import ShuttingDown

log = structlog.get_logger(__name__)

_SERVER = "gencode.mcp.server"
"""Imported when the first assistant calls: it takes half a second, and most services never need it."""


class MCPRuntime:
    """The library's side. `run` is its life: its task group begins and ends there."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._wanted = anyio.Event()
        self._ready = anyio.Event()
        self._task_service: Any = None

    async def run(self) -> None:
        await self._wanted.wait()
        try:
            module = await anyio.to_thread.run_sync(importlib.import_module, _SERVER)
            task_service = module.task_service(self._max_body)
            async with task_service.run():
                self._task_service = task_service
                self._ready.set()
                await anyio.sleep_forever()
        except Exception:
            log.exception("assistants cannot be served: the library mcp does not work")
        finally:
            self._task_service = None
            self._ready.set()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._wanted.set()
        await self._ready.wait()
        if not self._task_service:
            raise ShuttingDown("assistants are not served now; see the service's log")
        await self._task_service.handle_request(scope, receive, send)
