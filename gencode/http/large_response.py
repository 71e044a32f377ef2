"""Sends large bodies in pieces, as fast as clients receive them, and limits the memory of unsent pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gencode.domain.errors import GencodeError, Overloaded, RateLimited
from gencode.http.problems import accept_language, problem_response

PIECE = 64 * 1024
"""Bytes that are passed to the connection in one piece; the next piece waits until they are sent."""
MAX_UNSENT, MAX_UNSENT_OF_CLIENT = 256 * 2**20, 64 * 2**20
"""The most bytes of large bodies in memory: in total, and of one client. A single body may be larger. Without
these limits, 60 archives that clients did not read used 450 MB."""
RETRY_AFTER = 5


class UnsentBodies:
    """Counts the bytes of the large bodies that are being sent, by client."""

    def __init__(self, total: int = MAX_UNSENT, of_client: int = MAX_UNSENT_OF_CLIENT) -> None:
        self._total = total
        self._of_client = of_client
        self._held: Counter[str] = Counter()

    def reserve(self, client: str, size: int) -> None:
        """Reserves memory, which the caller frees by `release`. Raises RateLimited, Overloaded."""
        if self._held[client] and self._held[client] + size > self._of_client:
            raise RateLimited(
                "your other downloads hold too much memory: read them to their end",
                retry_after=RETRY_AFTER,
            )
        if self._held.total() and self._held.total() + size > self._total:
            raise Overloaded("too many downloads are under way; try again later", retry_after=RETRY_AFTER)
        self._held[client] += size

    def release(self, client: str, size: int) -> None:
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]


class LargeBodyMiddleware:
    """Counts bodies of a declared length above PIECE bytes, and sends them in pieces or rejects them with 429
    or 503."""

    def __init__(self, app: ASGIApp, unsent: UnsentBodies) -> None:
        self._app = app
        self._unsent = unsent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send, self._unsent)
        try:
            await self._app(scope, receive, body.send)
        finally:
            body.release()


class _Body:
    """Sends the response to one request."""

    __slots__ = ("_client", "_is_refused", "_receive", "_reserved", "_scope", "_send", "_unsent")

    def __init__(self, scope: Scope, receive: Receive, send: Send, unsent: UnsentBodies) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._unsent = unsent
        self._client = ""
        self._reserved = 0
        self._is_refused = False

    async def send(self, message: Message) -> None:
        if self._is_refused:
            return
        if message["type"] == "http.response.start":
            if error := self._reserve(message):
                self._is_refused = True
                response = problem_response(error, language=accept_language(self._scope))
                await response(self._scope, self._receive, self._send)
                return
        elif self._reserved:
            for piece in _pieces(message):
                await self._send(piece)
            return
        await self._send(message)

    def release(self) -> None:
        if self._reserved:
            self._unsent.release(self._client, self._reserved)
            self._reserved = 0

    def _reserve(self, start: Message) -> GencodeError | None:
        size = int(Headers(raw=start["headers"]).get("content-length", "0"))
        if size <= PIECE:
            return None
        principal = self._scope.get("state", {}).get("principal")
        self._client = principal.id if principal else ""
        try:
            self._unsent.reserve(self._client, size)
        except (RateLimited, Overloaded) as error:
            return error
        self._reserved = size
        return None


def _pieces(message: Message) -> Iterator[Message]:
    body = memoryview(message.get("body", b""))
    for start in range(0, len(body), PIECE):
        yield {"type": message["type"], "body": bytes(body[start : start + PIECE]), "more_body": True}
    if not message.get("more_body"):
        yield {"type": message["type"], "body": b"", "more_body": False}
