"""The service inside another ASGI application, whose server knows nothing of it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import anyio
from starlette.applications import Starlette

from gencode.observability.logs import hand_over


@asynccontextmanager
async def running(service: Starlette) -> AsyncIterator[Starlette]:
    """Run the service within the lifespan of the application that it is mounted in, which ASGI servers do not
    do for mounted applications. Its log goes to the host's logging. Raises StartError.

    Open event streams are told of SIGTERM and SIGINT at once. Without it they would hold the server: it
    waits for them before it ends the lifespan, and until then nobody tells an application anything.
    """
    hand_over(service.state.secrets.current)
    async with service.router.lifespan_context(service):
        with _hearing_signals(service.state.services.closing):
            yield service


@contextmanager
def _hearing_signals(closing: anyio.Event) -> Iterator[None]:
    """Before the server's own handlers, which then do what they did. A signal that nobody handles ends the
    process anyway, and outside the main thread Python lets nobody listen."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(closing.set)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    main = threading.current_thread() is threading.main_thread()
    heard = [number for number, handler in before.items() if main and callable(handler)]
    for number in heard:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in heard:
            if signal.getsignal(number) is hear:
                signal.signal(number, before[number])
