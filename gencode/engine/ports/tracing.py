"""The port to tracing: spans, and the header `traceparent`, which continues a trace in another service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client"]
Value = str | int | float | bool | tuple[str, ...]


class Span(Protocol):
    """A timed operation. Attributes are our own names and numbers: never a prompt, a file's text, a key, or
    text from another system."""

    def set(self, attributes: Mapping[str, Value]) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, code: str) -> None:
        """Mark as failed; `code` is an error's code, a status, or the name of an exception type."""
        ...


class Tracer(Protocol):
    """Makes spans. They are exported in the background; a failed export raises no error."""

    @property
    def idle(self) -> bool:
        """Whether nothing is traced."""
        ...

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: Kind = "internal",
        parent: str = "",
        make_current: bool = True,
    ) -> Iterator[Span]:
        """A span around a block, a child of the current one or of `parent` (a W3C traceparent, valid or not).
        An exception that leaves the block marks it as failed.

        `make_current`: spans begun in the block are its children. Must be False in a generator, whose block
        includes what its caller does between two items.
        """
        ...

    def traceparent(self) -> str:
        """The header of the current span; empty without one."""
        ...


class NoopTracer:
    """A Tracer that does nothing."""

    idle = True

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: Kind = "internal",
        parent: str = "",
        make_current: bool = True,
    ) -> Iterator[Span]:
        yield _NOOP_SPAN

    def traceparent(self) -> str:
        return ""


class _NoopSpan:
    def set(self, attributes: Mapping[str, Value]) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, code: str) -> None: ...


_NOOP_SPAN = _NoopSpan()
