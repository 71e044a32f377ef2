"""One client's connection: uvicorn's, with an end to its patience."""

from __future__ import annotations

import asyncio

from gencode.web.door import Door, Entry


def impatient(entry: Entry, seconds: float, at_shutdown: float) -> type[asyncio.Protocol]:
    """A protocol for uvicorn's `http` option: a door with `entry`, and behind it, a peer that has not taken
    what was sent to it for so many seconds is cut off, and its application hears that the client has left.
    `at_shutdown`: seconds from then on; less than uvicorn's own grace, which ends in cancelled requests and
    a trace in the log for each.

    A deadline on ASGI's `send` would free the application alone: the transport waits for ever to flush what
    is left, and keeps the socket and the memory.
    """

    class Connection(Door):
        _entry = entry
        _patience = seconds
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=0)  # paused means: the kernel's own buffer is full

        def pause_writing(self) -> None:
            super().pause_writing()
            self._deadline = self.loop.call_later(self._patience, self.transport.abort)

        def resume_writing(self) -> None:
            self._relax()
            super().resume_writing()

        def shutdown(self) -> None:
            super().shutdown()
            self._patience = min(seconds, at_shutdown)
            if self._deadline:
                self._relax()
                self._deadline = self.loop.call_later(self._patience, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            super().connection_lost(exc)

        def _relax(self) -> None:
            if self._deadline:
                self._deadline.cancel()
                self._deadline = None

    return Connection
