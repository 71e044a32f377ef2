"""Authenticates requests by API keys: those of API_KEYS and those of `gencode keys`, compared as hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import structlog
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from gencode.auth.key_file import KeyFile, KeyOptions
from gencode.domain.errors import StartError, Unauthorized
from gencode.domain.principal import LOCAL, OPERATOR, Principal, PrincipalKind
from gencode.engine.quota import Quota

POLL_SECONDS = 1.0
"""Between two checks of the key file while no requests come; a request checks it itself."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Authentication:
    """A principal and what proved it: the digest of an API key; empty for a ticket, or where no key is
    required."""

    principal: Principal
    digest: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownKey:
    """A client and the digest of one of its keys."""

    name: str
    digest: bytes
    options: KeyOptions = field(default_factory=KeyOptions)


class ApiKeys:
    """`entries`: API_KEYS, each `key`, `client=key` or `client=sha256:<hex>`, separated by commas.
    `file`: read again whenever it changes.

    Once there was a key, one is required until the process ends: revoking the last one opens nothing. Raises
    StartError for an entry, or a file, that cannot be meant; a file that is damaged later authenticates
    nobody. `now`: datetime.now in UTC; a key whose time is over authenticates nobody.
    """

    def __init__(
        self,
        entries: str,
        file: KeyFile | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._configured = [KnownKey(name=name, digest=digest) for name, digest in _parse(entries)]
        self._stored: list[KnownKey] = []
        self._now = now
        self._file = file
        self._version = file.version() if file else None
        if file:
            self._stored = _read(file)
        self._is_required = bool(self._configured) or self._version is not None
        self._on_revocation: dict[Callable[[], None], Authentication] = {}

    @property
    def is_required(self) -> bool:
        """Whether requests without a key are refused."""
        self._reload()
        return self._is_required

    def authenticate(self, headers: Headers) -> Authentication:
        """By `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises Unauthorized. Every key is compared, so that the time taken does not depend on the key.
        """
        if not self.is_required:
            return Authentication(principal=LOCAL)
        key = presented_key(headers)
        digest = hashlib.sha256(key).digest()
        matches = [known for known in self._all() if hmac.compare_digest(known.digest, digest)]
        if not (key and matches):
            raise Unauthorized("send a valid API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
        if self._has_expired(matches[0]):
            expired = f"{matches[0].options.expires_at:%Y-%m-%d %H:%M}"
            raise Unauthorized(f"this API key expired at {expired} UTC: ask for a new one")
        roles = frozenset({OPERATOR}) if matches[0].options.operator else frozenset()
        return Authentication(principal=_principal(matches[0].name, roles), digest=digest)

    def by_ticket(self, principal_id: str) -> Authentication:
        """For the principal that a ticket was issued to. Raises Unauthorized if it has no key any more."""
        principal = _principal(principal_id) if self.is_required else LOCAL
        authentication = Authentication(principal=principal)
        if principal.id != principal_id or not self.is_valid(authentication):
            raise Unauthorized("the client that this ticket was given to has no API key any more")
        return authentication

    def is_valid(self, authentication: Authentication) -> bool:
        """Whether the key is still known; for a ticket, whether its principal has any key."""
        principal, digest = authentication.principal, authentication.digest
        if not self.is_required:
            return principal.id == LOCAL.id
        return any(
            known.name == principal.id and digest in (b"", known.digest) and not self._has_expired(known)
            for known in self._all()
        )

    def rate(self, principal_id: str) -> str:
        """The rate of a client, such as 10/minute: of its newest valid key that has one; "" if none has."""
        return next((options.rate for options in self._newest(principal_id) if options.rate), "")

    def quotas(self, principal_id: str) -> Sequence[Quota]:
        """The quotas of a client: of its newest valid key that has any."""
        return next((options.quotas for options in self._newest(principal_id) if options.quotas), ())

    def _newest(self, principal_id: str) -> Iterator[KeyOptions]:
        """Of the client's valid keys, the newest first."""
        self._reload()
        own = (key for key in reversed(self._stored) if key.name == principal_id)
        return (key.options for key in own if not self._has_expired(key))

    def receive_while_valid(self, authentication: Authentication, receive: Receive) -> Receive:
        """A `receive` that returns a disconnect as soon as the key is revoked."""

        async def receive_or_disconnect() -> Message:
            with anyio.CancelScope() as scope, self.call_on_revocation(authentication, scope.cancel):
                return await receive()
            return {"type": "http.disconnect"}

        return receive_or_disconnect

    @contextmanager
    def cancelling_on_revocation(
        self, authentication: Authentication, may_cancel: Callable[[], bool]
    ) -> Iterator[anyio.CancelScope]:
        """A scope that is cancelled when the key, which has just been checked, is revoked, if `may_cancel`
        returns True at that moment."""

        def cancel() -> None:
            if may_cancel():
                scope.cancel()

        self._on_revocation[cancel] = authentication
        try:
            with anyio.CancelScope() as scope:
                yield scope
        finally:
            del self._on_revocation[cancel]

    @contextmanager
    def call_on_revocation(self, authentication: Authentication, call: Callable[[], None]) -> Iterator[None]:
        """Within the block, `call` is called when the key is revoked; at once if it was before."""
        self._on_revocation[call] = authentication
        try:
            if not self.is_valid(authentication):
                call()
            yield
        finally:
            del self._on_revocation[call]

    async def watch(self) -> None:
        """Notice changes of the file, and keys that expire, also while no requests come, until cancelled."""
        while self._file:
            await anyio.sleep(POLL_SECONDS)
            self._reload()
            if any(map(self._has_expired, self._stored)):
                self._call_revoked()

    def _all(self) -> list[KnownKey]:
        return [*self._configured, *self._stored]

    def _has_expired(self, key: KnownKey) -> bool:
        return key.options.has_expired(self._now())

    def _reload(self) -> None:
        version = self._file.version() if self._file else None
        if self._file is None or version == self._version:
            return
        self._version = version  # taken before reading: a change in between is seen the next time
        try:
            self._stored = _read(self._file)
            log.info("the API keys have changed", keys=len(self._stored))
        except StartError as error:
            self._stored = []
            log.error("the file of API keys cannot be used; no key of it is let in", reason=error.message)
        self._is_required = self._is_required or version is not None
        self._call_revoked()

    def _call_revoked(self) -> None:
        for call, authentication in list(self._on_revocation.items()):
            if not self.is_valid(authentication):
                call()


def _principal(name: str, roles: frozenset[str] = frozenset()) -> Principal:
    return Principal(id=name, kind=PrincipalKind.API_KEY, roles=roles)


def presented_key(headers: Headers) -> bytes:
    """The key as bytes: header values are latin-1, so that a non-ASCII key compares like any other."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    return key.encode("latin-1", "replace")


def _read(file: KeyFile) -> list[KnownKey]:
    return [
        KnownKey(name=key.name, digest=bytes.fromhex(key.sha256), options=key.options) for key in file.read()
    ]


def _parse(entries: str) -> Iterator[tuple[str, bytes]]:
    for number, entry in enumerate(filter(None, map(str.strip, entries.split(","))), start=1):
        client, equals, key = entry.partition("=")
        digest = _digest(key if equals else entry)
        if (equals and not client) or not digest:
            raise StartError(
                f"API_KEYS: entry {number} must be key, client=key or client=sha256:<64 hex>; "
                "a key that ends in = needs a client's name before it"
            )
        yield (client if equals else f"key-{digest.hex()[:8]}"), digest


def _digest(key: str) -> bytes:
    """Empty for a key that cannot be meant, such as the "=" that is left of a key in base64."""
    marker, _, hexadecimal = key.partition(":")
    if marker != "sha256":
        return hashlib.sha256(key.encode()).digest() if key.strip("=") else b""
    return bytes.fromhex(hexadecimal) if re.fullmatch(r"[0-9a-fA-F]{64}", hexadecimal) else b""
