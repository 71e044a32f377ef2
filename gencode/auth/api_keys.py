"""Who has a key: those of API_KEYS, and those of `gencode keys`, kept and compared as hashes of bytes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import structlog
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from gencode.auth.key_file import KeyFile
from gencode.domain.errors import StartError, Unauthorized

LOCAL = "local"
"""The one client of a service without keys."""
LOOK_SECONDS = 1.0
"""Between two looks at the file of keys; a request looks at it itself."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who was let in. `digest`: of the key that was shown; empty for a ticket, or where no key is needed."""

    client: str
    digest: bytes = b""


class ApiKeys:
    """`entries`: API_KEYS, each `key`, `client=key` or `client=sha256:<hex>`, separated by commas.
    `file`: read anew whenever it changes.

    Once there was a key, one is needed until the process ends: revoking the last one opens nothing. Raises
    StartError for an entry, or a file, that cannot be meant; a file that is damaged later lets nobody in.
    """

    def __init__(self, entries: str, file: KeyFile | None = None) -> None:
        self._fixed = list(_parse(entries))
        self._made: list[tuple[str, bytes]] = []
        self._file = file
        self._version = file.version() if file else None
        if file:
            self._made = _stored(file)
        self._needed = bool(self._fixed) or self._version is not None
        self._parting: dict[Callable[[], None], Caller] = {}

    @property
    def needed(self) -> bool:
        """Whether nobody is let in without a key."""
        self._look()
        return self._needed

    def caller(self, headers: Headers) -> Caller:
        """Whose key came as `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises Unauthorized. Every key is compared, so the time taken tells nothing.
        """
        if not self.needed:
            return Caller(client=LOCAL)
        key = presented(headers)
        digest = hashlib.sha256(key).digest()
        matches = [client for client, known in self._all() if hmac.compare_digest(known, digest)]
        if not (key and matches):
            raise Unauthorized("send a valid API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
        return Caller(client=matches[0], digest=digest)

    def holds(self, caller: Caller) -> bool:
        """Whether the key that the caller showed, or any of a caller that showed none, is still good."""
        if not self.needed:
            return caller.client == LOCAL
        return any(
            client == caller.client and caller.digest in (b"", digest) for client, digest in self._all()
        )

    def hearing(self, caller: Caller, receive: Receive) -> Receive:
        """A `receive` that tells of a disconnect as soon as the caller is not let in any more."""

        async def receive_while_good() -> Message:
            if self.holds(caller):
                with anyio.CancelScope() as scope, self.parting(caller, scope.cancel):
                    return await receive()
            return {"type": "http.disconnect"}

        return receive_while_good

    @contextmanager
    def parting(self, caller: Caller, call: Callable[[], None]) -> Iterator[None]:
        """`call` as soon as the caller is not let in any more; at once, if it is not now."""
        self._parting[call] = caller
        try:
            if not self.holds(caller):
                call()
            yield
        finally:
            del self._parting[call]

    async def watch(self) -> None:
        """For ever: see changes of the file also while nobody asks for anything."""
        while self._file:
            await anyio.sleep(LOOK_SECONDS)
            self._look()

    def _all(self) -> list[tuple[str, bytes]]:
        return [*self._fixed, *self._made]

    def _look(self) -> None:
        version = self._file.version() if self._file else None
        if self._file is None or version == self._version:
            return
        self._version = version  # taken before reading: a change in between is seen the next time
        try:
            self._made = _stored(self._file)
            log.info("the API keys have changed", keys=len(self._made))
        except StartError as error:
            self._made = []
            log.error("the file of API keys cannot be used; no key of it is let in", reason=error.message)
        self._needed = self._needed or version is not None
        self._part()

    def _part(self) -> None:
        """Leave whoever is not let in any more."""
        for call, caller in list(self._parting.items()):
            if not self.holds(caller):
                call()


def presented(headers: Headers) -> bytes:
    """The key as bytes: header values are latin-1, so that a non-ASCII key compares like any other."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    return key.encode("latin-1", "replace")


def _stored(file: KeyFile) -> list[tuple[str, bytes]]:
    return [(key.name, bytes.fromhex(key.sha256)) for key in file.read()]


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
