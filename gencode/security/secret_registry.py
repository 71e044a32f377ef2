"""The registry of the currently valid secrets, for redaction and for the secrets scan."""

from __future__ import annotations

from collections.abc import Iterable

from gencode.security.redaction import MIN_SECRET_LENGTH, SecretSource


class SecretRegistry:
    """Collects secrets from sources that may change while the service runs.

    A source is a callable that returns the secrets valid at the time of the call. It is called for each log
    line and from any thread, so it must be fast, thread-safe, and must neither raise nor log.
    """

    def __init__(self, fixed: Iterable[str] = ()) -> None:
        """`fixed`: secrets that stay valid as long as the process runs, such as those of the settings."""
        constant = tuple(fixed)
        self._sources: tuple[SecretSource, ...] = (lambda: constant,)
        self._cached: tuple[frozenset[str], tuple[str, ...]] = (frozenset(), ())

    def add_source(self, source: SecretSource) -> None:
        self._sources = (*self._sources, source)

    def current(self) -> tuple[str, ...]:
        """Every valid secret once, the longest first, without secrets shorter than MIN_SECRET_LENGTH."""
        found = frozenset(
            secret for source in self._sources for secret in source() if len(secret) >= MIN_SECRET_LENGTH
        )
        known, ordered = self._cached
        if found != known:
            ordered = tuple(sorted(found, key=lambda secret: (-len(secret), secret)))
            self._cached = found, ordered  # one assignment: threads never see a set with another's order
        return ordered
