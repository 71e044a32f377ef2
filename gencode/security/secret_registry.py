"""The registry of the currently valid secrets, for redaction and for the secrets scan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from gencode.security.redaction import MIN_SECRET_LENGTH, SecretSource

MIN_LOGGED_LENGTH = 16
"""Characters of a user's secret that is redacted from logs."""
MAX_OWNED = 1024


class OwnedSecrets:
    """Secrets of users (keys of models, tokens of Git hosts), remembered when they are used.

    They concern their owner alone. If everybody's answers were searched for them, a user could store
    "application/json" as a key, and the tasks of all others would fail.
    """

    def __init__(self) -> None:
        self._by_owner: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(self, owner: str, secret: str) -> None:
        """Remembers the last MAX_OWNED."""
        if not secret:
            return
        known = OrderedDict(self._by_owner)
        known[owner, secret] = None
        known.move_to_end((owner, secret))
        if len(known) > MAX_OWNED:
            known.popitem(last=False)
        self._by_owner = known  # one assignment: logs read it from other threads

    def of(self, owner: str) -> tuple[str, ...]:
        return tuple(secret for one, secret in self._by_owner if one == owner)

    def logged(self) -> Iterable[str]:
        """Those that no ordinary text contains."""
        return [secret for _, secret in self._by_owner if _is_distinctive(secret)]


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
        self._owned: tuple[OwnedSecrets, ...] = ()

    def add_source(self, source: SecretSource) -> None:
        self._sources = (*self._sources, source)

    def add_owned(self, owned: OwnedSecrets) -> None:
        self._owned = (*self._owned, owned)

    def current(self) -> tuple[str, ...]:
        """Every valid secret of the service once, the longest first, without secrets shorter than
        MIN_SECRET_LENGTH."""
        found = frozenset(
            secret for source in self._sources for secret in source() if len(secret) >= MIN_SECRET_LENGTH
        )
        known, ordered = self._cached
        if found != known:
            ordered = tuple(sorted(found, key=_by_length))
            self._cached = found, ordered  # one assignment: threads never see a set with another's order
        return ordered

    def of(self, principal: str) -> tuple[str, ...]:
        """Those of the service, and those of the principal of this id."""
        return (*self.current(), *(secret for owned in self._owned for secret in owned.of(principal)))

    def logged(self) -> tuple[str, ...]:
        """What no log line may contain, the longest first."""
        users = (secret for owned in self._owned for secret in owned.logged())
        return tuple(sorted({*self.current(), *users}, key=_by_length))


def _by_length(secret: str) -> tuple[int, str]:
    return -len(secret), secret


def _is_distinctive(secret: str) -> bool:
    return (
        len(secret) >= MIN_LOGGED_LENGTH and any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
    )
