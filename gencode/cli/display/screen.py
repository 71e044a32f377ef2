"""What shows a task's events."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from gencode.client import Message, ServiceError


class Screen(Protocol):
    """Entered while there is something to show, perhaps several times."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, message: Message) -> None:
        """The next event."""
        ...

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        """The connection is gone, and will be tried again after so many seconds."""
        ...


class Plain:
    """A screen that needs no beginning and no end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
