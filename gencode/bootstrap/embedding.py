"""Runs the service inside another ASGI application."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import anyio
from starlette.applications import Starlette

from gencode.observability.logs import configure_for_embedding


@asynccontextmanager
async def running(service: Starlette) -> AsyncIterator[Starlette]:
    """Run the service within the lifespan of the application that it is mounted in: ASGI servers run no
    lifespan of mounted applications. Its log goes to the host's logging. Raises StartError.

    SIGTERM and SIGINT end open event streams at once. The server waits for open responses before it ends the
    lifespan, and ASGI tells an application nothing until then: without this, streams would keep it waiting.
    """
    configure_for_embedding(service.state.secrets.current)
    async with service.router.lifespan_context(service):
        with _close_on_signals(service.state.services.closing):
            yield service


@contextmanager
def _close_on_signals(closing: anyio.Event) -> Iterator[None]:
    """Set `closing`, then call the handler that was installed before. A signal without a handler ends the
    process anyway, and outside the main thread Python allows no handlers."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(closing.set)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    main = threading.current_thread() is threading.main_thread()
    replaced = [number for number, handler in before.items() if main and callable(handler)]
    for number in replaced:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in replaced:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
