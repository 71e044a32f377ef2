"""Authenticates every request below the API by its key or, for event streams, by a ticket."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gencode.auth.authentication import Authentication
from gencode.auth.key_authenticator import ApiKeyAuthenticator, presented_key
from gencode.domain.errors import StoreError, Unauthorized
from gencode.http.dependencies import get_services
from gencode.http.direct_write_extension import Continuation, DirectWriter, direct_writer
from gencode.http.problems import accept_language, problem_response
from gencode.http.read_turns import ReadTurns

_STREAM = re.compile(r"/status/(?P<task_id>[^/]+)")
"""Below the API: the only path where a ticket replaces a key."""


class AuthenticationMiddleware:
    """ASGI middleware: refuses requests without a principal and sets `request.state.principal`.

    When the key is revoked or expires, a request that is not answered yet gets 401, and an event stream ends.

    public  paths below the API's that need no principal
    """

    def __init__(self, app: ASGIApp, keys: ApiKeyAuthenticator, public: Collection[str] = ()) -> None:
        self._app = app
        self._keys = keys
        self._public = public
        self._turns = ReadTurns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _api_path(scope) in self._public:
            await self._app(scope, receive, send)
            return
        try:
            authentication = await self._authenticate(scope)
        except (Unauthorized, StoreError) as error:
            await problem_response(error, language=accept_language(scope))(scope, receive, send)
            return
        scope.setdefault("state", {}).update(
            principal=authentication.principal, session_id=authentication.session_id
        )
        await self._answer(authentication, scope, receive, send)
        writer = direct_writer(scope)
        if writer and writer.continuation:
            writer.continuation = partial(self._while_valid, authentication, writer, writer.continuation)

    async def _answer(
        self, authentication: Authentication, scope: Scope, receive: Receive, send: Send
    ) -> None:
        has_begun = False
        is_read = scope["method"] in ("GET", "HEAD")
        turn = await self._turns.wait(authentication.principal.id) if is_read else None

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            if turn:
                turn.end()
            await send(message)

        valid = self._keys.cancelling_on_invalidation(authentication, lambda: not has_begun)
        try:
            with valid as unanswered:
                receive_while_valid = self._keys.receive_while_valid(authentication, receive)
                await self._app(scope, receive_while_valid, send_and_note)
        finally:
            if turn:
                turn.end()
        if unanswered.cancelled_caught:
            error = Unauthorized("the API key was revoked, or has expired")
            await problem_response(error, language=accept_language(scope))(scope, receive, send)

    async def _while_valid(
        self, authentication: Authentication, writer: DirectWriter, rest: Continuation, send: Send
    ) -> None:
        with self._keys.call_on_invalidation(authentication, writer.disconnect):
            await rest(send)

    async def _authenticate(self, scope: Scope) -> Authentication:
        headers, ticket = Headers(scope=scope), _ticket(scope)
        stream = _STREAM.fullmatch(_api_path(scope))
        if not (ticket and stream) or presented_key(headers) or not self._keys.is_required:
            return await self._keys.authenticate_request(headers)
        tickets = get_services(Request(scope)).tickets
        return await self._keys.authenticate_ticket_holder(tickets.verify(ticket, stream["task_id"]))


def _api_path(scope: Scope) -> str:
    """The path below the one that the API is mounted under."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _ticket(scope: Scope) -> str:
    query = scope["query_string"]
    return QueryParams(query).get("ticket", "") if query else ""
