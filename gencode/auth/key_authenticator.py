"""The authenticator of requests: by API key (of API_KEYS and of `gencode keys`, compared as digests), or by
the access token of an account, which a SessionAuthenticator reads."""

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

from gencode.auth.authentication import Authentication
from gencode.auth.key_store import POLL_SECONDS, KeyOptions, StoredKeys
from gencode.auth.session_authenticator import SessionAuthenticator
from gencode.auth.tickets import SESSION
from gencode.domain.errors import StartError, StoreError, Unauthorized
from gencode.domain.phrase import Phrase
from gencode.domain.principal import LOCAL, OPERATOR, Principal, PrincipalKind
from gencode.engine.quota import Quota

log = structlog.get_logger(__name__)
JWT_DOTS = 2
KEY_HEADERS = "'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
LOG_IN = ", or log in: POST /api/v1/auth/login"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownKey:
    """The digest of one key of a client."""

    client: str
    digest: bytes
    options: KeyOptions = field(default_factory=KeyOptions)


class ApiKeyAuthenticator:
    """Authenticates requests by API key.

    entries  the value of API_KEYS: `key`, `client=key` or `client=sha256:<hex>`, separated by commas
    store    the keys of `gencode keys`, read again whenever they change
    now      returns the current time in UTC; an expired key authenticates nobody

    Changes of the store are found by each authentication, by `is_required`, and every second by `watch`.
    Once a key has existed, keys are required until the process ends; revoking the last key does not turn
    authentication off. Raises StartError for an entry or a store that is invalid; the keys of a store that is
    damaged later authenticate nobody.
    """

    def __init__(
        self,
        entries: str,
        store: StoredKeys | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._configured = [KnownKey(client=client, digest=digest) for client, digest in _parse(entries)]
        self._stored: list[KnownKey] = []
        self._now = now
        self._store = store
        self._version = store.version() if store else None
        if store:
            self._stored = _read(store)
        self._is_required = bool(self._configured) or self._version is not None
        self._on_invalidation: dict[Callable[[], None], Authentication] = {}
        self._sessions: SessionAuthenticator | None = None

    def accept_sessions(self, sessions: SessionAuthenticator) -> None:
        """Authenticate access tokens, too; to be called before the first request."""
        self._sessions = sessions

    @property
    def is_required(self) -> bool:
        """Whether requests without a key, or the access token of an account, are refused."""
        self._reload()
        return self._requires_credentials()

    def authenticate(self, headers: Headers) -> Authentication:
        """Authenticate by `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises Unauthorized. Every key is compared, so that the time does not depend on the key.
        """
        self._reload()
        if not self._requires_credentials():
            return Authentication(principal=LOCAL)
        key = presented_key(headers)
        digest = hashlib.sha256(key).digest()
        matches = [known for known in self._all() if hmac.compare_digest(known.digest, digest)]
        if not (key and matches):
            raise Unauthorized(
                Phrase(
                    "send a valid API key as {key_headers}{value}",
                    key_headers=KEY_HEADERS,
                    value=Phrase(LOG_IN) if self._sessions else "",
                )
            )
        if self._has_expired(matches[0]):
            expired = f"{matches[0].options.expires_at:%Y-%m-%d %H:%M}"
            raise Unauthorized(
                Phrase("this API key expired at {expired} UTC: ask for a new one", expired=expired)
            )
        roles = frozenset({OPERATOR}) if matches[0].options.operator else frozenset()
        return Authentication(principal=_principal(matches[0].client, roles), key_digest=digest)

    async def authenticate_request(self, headers: Headers) -> Authentication:
        """Authenticate by access token, sent as `Authorization: Bearer TOKEN`, or by key. Raises
        Unauthorized."""
        token = _bearer(headers)
        if self._sessions and looks_like_access_token(token):
            return await self._sessions.authenticate(token)
        return self.authenticate(headers)

    async def authenticate_ticket_holder(self, holder: str) -> Authentication:
        """Authenticate the holder of a ticket, which has been verified. Raises Unauthorized if the principal
        has no valid key any more, or the user's session is over."""
        principal_id, _, session_id = holder.partition(SESSION)
        if self._sessions and self._sessions.has_principal(principal_id):
            return await self._sessions.authenticate_session(session_id)
        self._reload()
        principal = _principal(principal_id) if self._requires_credentials() else LOCAL
        authentication = Authentication(principal=principal)
        if principal.id != principal_id or not self.is_valid(authentication):
            raise Unauthorized("the client that this ticket was given to has no API key any more")
        return authentication

    def is_valid(self, authentication: Authentication) -> bool:
        """Whether the key or session is still valid; for a ticket, whether its principal has a valid one."""
        principal, digest = authentication.principal, authentication.key_digest
        if self._sessions and self._sessions.has_principal(principal.id):
            return self._sessions.is_valid(authentication)
        if not self._requires_credentials():
            return principal.id == LOCAL.id
        return any(
            known.client == principal.id and digest in (b"", known.digest) and not self._has_expired(known)
            for known in self._all()
        )

    def rate(self, principal_id: str) -> str:
        """The rate of a client, such as 10/minute, from its newest valid key that has one; "" if none has."""
        return next((options.rate for options in self._newest(principal_id) if options.rate), "")

    def quotas(self, principal_id: str) -> Sequence[Quota]:
        """The quotas of a client, from its newest valid key that has any."""
        return next((options.quotas for options in self._newest(principal_id) if options.quotas), ())

    def _newest(self, principal_id: str) -> Iterator[KeyOptions]:
        """The options of the client's valid keys, the newest first."""
        own = (key for key in reversed(self._stored) if key.client == principal_id)
        return (key.options for key in own if not self._has_expired(key))

    def receive_while_valid(self, authentication: Authentication, receive: Receive) -> Receive:
        """A `receive` that, once the body is read, returns a disconnect as soon as the key is revoked or
        expires. `cancelling_on_invalidation` ends a request whose body still arrives."""
        has_body = False

        async def receive_or_disconnect() -> Message:
            nonlocal has_body
            if not has_body:
                message = await receive()
                has_body = not message.get("more_body", False)
                return message
            with anyio.CancelScope() as scope, self.call_on_invalidation(authentication, scope.cancel):
                return await receive()
            return {"type": "http.disconnect"}

        return receive_or_disconnect

    @contextmanager
    def cancelling_on_invalidation(
        self, authentication: Authentication, may_cancel: Callable[[], bool]
    ) -> Iterator[anyio.CancelScope]:
        """A scope that is cancelled when the key, which has just been checked, is revoked or expires, if
        `may_cancel` returns True then."""

        def cancel() -> None:
            if may_cancel():
                scope.cancel()

        self._on_invalidation[cancel] = authentication
        try:
            with anyio.CancelScope() as scope:
                yield scope
        finally:
            del self._on_invalidation[cancel]

    @contextmanager
    def call_on_invalidation(
        self, authentication: Authentication, call: Callable[[], None]
    ) -> Iterator[None]:
        """Calls `call` when the key is revoked or expires; immediately if it is already invalid."""
        self._on_invalidation[call] = authentication
        try:
            if not self.is_valid(authentication):
                call()
            yield
        finally:
            del self._on_invalidation[call]

    async def watch(self) -> None:
        """Detect changes, expired keys and ended sessions, also while there are no requests, until
        cancelled."""
        async with anyio.create_task_group() as group:
            if self._store:
                group.start_soon(self._store.watch, self._look)
            if self._sessions:
                group.start_soon(self._watch_sessions, self._sessions)

    async def _watch_sessions(self, sessions: SessionAuthenticator) -> None:
        while True:
            await anyio.sleep(POLL_SECONDS)
            try:
                await sessions.check(set(self._on_invalidation.values()))
            except StoreError as error:
                log.warning("the sessions of open streams cannot be checked", reason=error.message)
            self._notify_invalid()

    def _look(self) -> None:
        self._reload()
        if any(map(self._has_expired, self._stored)):
            self._notify_invalid()

    def _requires_credentials(self) -> bool:
        return self._is_required or (self._sessions is not None and self._sessions.is_required)

    def _all(self) -> list[KnownKey]:
        return [*self._configured, *self._stored]

    def _has_expired(self, key: KnownKey) -> bool:
        return key.options.has_expired(self._now())

    def _reload(self) -> None:
        version = self._store.version() if self._store else None
        if self._store is None or version == self._version:
            return
        self._version = version  # taken before reading: a change in between is seen the next time
        try:
            self._stored = _read(self._store)
            log.info("the API keys have changed", keys=len(self._stored))
        except StartError as error:
            self._stored = []
            log.error("the stored API keys cannot be used; none of them is let in", reason=error.message)
        self._is_required = self._is_required or version is not None
        self._notify_invalid()

    def _notify_invalid(self) -> None:
        """Call what `call_on_invalidation` registered for keys and sessions that are not valid any more."""
        for call, authentication in list(self._on_invalidation.items()):
            if not self.is_valid(authentication):
                call()


def _principal(client: str, roles: frozenset[str] = frozenset()) -> Principal:
    return Principal(id=client, kind=PrincipalKind.API_KEY, roles=roles)


def looks_like_access_token(token: str) -> bool:
    """Whether this has the form of a JSON Web Token. A key of that form in API_KEYS is sent as X-API-Key."""
    return token.startswith("ey") and token.count(".") == JWT_DOTS


def presented_key(headers: Headers) -> bytes:
    """The key of the request's headers, as bytes: header values are latin-1, so non-ASCII keys can be
    compared, too."""
    key = _bearer(headers) or headers.get("x-api-key", "").strip()
    return key.encode("latin-1", "replace")


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _read(store: StoredKeys) -> list[KnownKey]:
    return [
        KnownKey(client=key.client, digest=bytes.fromhex(key.sha256), options=key.options)
        for key in store.read()
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
    """The digest of a key; empty for a key that is invalid, such as the "=" that remains of a key in
    base64."""
    marker, _, hexadecimal = key.partition(":")
    if marker != "sha256":
        return hashlib.sha256(key.encode()).digest() if key.strip("=") else b""
    return bytes.fromhex(hexadecimal) if re.fullmatch(r"[0-9a-fA-F]{64}", hexadecimal) else b""
