"""The seam to tracing: spans, and what continues a trace elsewhere. By default nothing is traced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client"]
Value = str | int | float | bool | tuple[str, ...]


class Span(Protocol):
    """Something that takes time. Attributes are names and numbers of ours: never a prompt, a file's text, a
    key, or what another side said."""

    def set(self, attributes: Mapping[str, Value]) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, code: str) -> None:
        """It did not succeed; `code` is one of gencode.domain.errors, a status, or the name of a type."""
        ...


class Tracer(Protocol):
    """Makes spans. What it measured leaves in the background; nothing that fails there is heard here."""

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
        opens: bool = True,
    ) -> Iterator[Span]:
        """A span around a block, below the one that is open here, or below `parent` (a W3C traceparent,
        whatever its sender made of it). An exception that leaves the block fails it.

        `opens`: what is begun in the block is below it. Not in a generator: there the block is also what its
        caller does between two items.
        """
        ...

    def traceparent(self) -> str:
        """Of the span that is open here, for whoever is to continue the trace; empty without one."""
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
        opens: bool = True,
    ) -> Iterator[Span]:
        yield _NOTHING

    def traceparent(self) -> str:
        return ""


class _Nothing:
    def set(self, attributes: Mapping[str, Value]) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, code: str) -> None: ...


_NOTHING = _Nothing()
