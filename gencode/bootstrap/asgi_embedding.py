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
    """Run the service within the lifespan of the application in which it is mounted, because ASGI servers do
    not run the lifespan of mounted applications. Its records are passed to the application's logging. Raises
    StartError.

    SIGTERM and SIGINT end open event streams immediately. The server waits for open responses before it ends
    the lifespan, and ASGI does not notify an application earlier: without this, streams would delay the
    shutdown.
    """
    configure_for_embedding(service.state.secrets.logged)
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
