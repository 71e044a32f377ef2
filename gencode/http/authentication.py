"""Who is asking: every request under the API comes with a key, or, a stream's, with a ticket."""

from __future__ import annotations

import re
from functools import partial

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.auth.api_keys import ApiKeys, Caller, presented
from gencode.domain.errors import Unauthorized
from gencode.http.direct_writer import Continuation, DirectWriter, direct_writer
from gencode.http.problems import problem_response
from gencode.http.services import get_services

_STREAM = re.compile(r"/status/(?P<task_id>[^/]+)")
"""Below the API: the only address that takes a ticket in place of a key."""


class AuthenticationMiddleware:
    """ASGI middleware: no request passes without a client; `request.state.client` names it. To who loses
    that right meanwhile, an answer that still goes on ends."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            caller = self._admit(scope)
        except Unauthorized as error:
            await problem_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["client"] = caller.client
        await self._app(scope, self._keys.hearing(caller, receive), send)
        services = direct_writer(scope)
        if services and services.rest:
            services.rest = partial(self._while_good, caller, services, services.rest)

    async def _while_good(
        self, caller: Caller, services: DirectWriter, rest: Continuation, send: Send
    ) -> None:
        with self._keys.parting(caller, services.depart):
            await rest(send)

    def _admit(self, scope: Scope) -> Caller:
        headers, ticket, stream = Headers(scope=scope), _ticket(scope), _STREAM.fullmatch(_below(scope))
        if not (ticket and stream) or presented(headers) or not self._keys.needed:
            return self._keys.caller(headers)
        caller = Caller(client=get_services(Request(scope)).tickets.client(ticket, stream["task_id"]))
        if not self._keys.holds(caller):
            raise Unauthorized("the client that this ticket was given to has no API key any more")
        return caller


def _below(scope: Scope) -> str:
    """The path without the one that the API is mounted under."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _ticket(scope: Scope) -> str:
    """Of ?ticket=..."""
    return QueryParams(scope["query_string"]).get("ticket", "")
