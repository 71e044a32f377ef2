"""Where events are shown: the interface, and the two implementations that need no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

from gencode.cli.display.kind_display import KindDisplay, event_line
from gencode.cli.output import as_json, printable
from gencode.client import Message, ServiceError


class Screen(Protocol):
    """A reusable context manager: left during a prompt to the user, and entered again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, message: Message) -> None:
        """The next event."""
        ...

    def interrupted(self, error: ServiceError | None, seconds: float) -> None:
        """The stream broke, or ended (None), and is opened again after this many seconds."""
        ...


class _Stateless:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class LineScreen(_Stateless):
    """A line for each event: for logs, pipes, and terminals without cursor movement."""

    def __init__(self, display: KindDisplay) -> None:
        self._display = display

    def show(self, message: Message) -> None:
        if line := event_line(message, self._display):
            print(line, flush=True)

    def interrupted(self, error: ServiceError | None, seconds: float) -> None:
        print(interruption_line(error, seconds), file=sys.stderr, flush=True)


class JSONScreen(_Stateless):
    """Every event as one line of JSON, also those of unknown kinds."""

    def show(self, message: Message) -> None:
        line = {"event": message.kind, "id": message.id, "data": message.data}
        print(as_json(line), flush=True)

    def interrupted(self, error: ServiceError | None, seconds: float) -> None:
        """Prints nothing: no event is lost."""


def interruption_line(error: ServiceError | None, seconds: float) -> str:
    reason = error.message if error else "the service ended the stream"
    return f"{printable(reason)}; going on in {seconds:.0f} s"
