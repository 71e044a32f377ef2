"""Git's smart HTTP: a request is received completely, handled in a thread, and its response sent from a file.

So a thread never waits for the network, an interrupted push has no effect, and memory use does not depend on
the size of a pack. Fetching needs no credential (the socket is on loopback); pushing needs the token.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import IO

import structlog
from anyio import CapacityLimiter, SpooledTemporaryFile, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gencode.embedded.forge.access_token import AccessToken
from gencode.embedded.forge.git_services import InvalidGitRequest, Service, advertise, handle_request
from gencode.embedded.forge.repositories import Repositories, Repository

log = structlog.get_logger(__name__)

_MAX_PUSH = 256 * 2**20  # bytes
_MAX_FETCH = 16 * 2**20  # bytes; a fetch names the commits that the client has, 50 bytes each
_IN_MEMORY = 256 * 1024  # bytes; a larger body or response goes to a temporary file
_CHUNK = 128 * 1024


class SmartHttp:
    """`threads` limits the concurrent requests that use the disk; pushes run one at a time."""

    def __init__(
        self, repositories: Repositories, access_token: AccessToken, threads: CapacityLimiter
    ) -> None:
        self._repositories = repositories
        self._access_token = access_token
        self._threads = threads
        self._push_limiter = CapacityLimiter(1)

    def routes(self) -> list[Route]:
        repo = "/{owner}/{repo}"
        return [
            Route(f"{repo}/info/refs", self._refs),
            Route(f"{repo}/{Service.FETCH}", self._fetch, methods=["POST"], max_body_size=_MAX_FETCH),
            Route(f"{repo}/{Service.PUSH}", self._push, methods=["POST"], max_body_size=_MAX_PUSH),
        ]

    async def _refs(self, request: Request) -> Response:
        try:
            service = Service(request.query_params.get("service", ""))
        except ValueError:
            return PlainTextResponse("Only Git's smart HTTP protocol is spoken here.", 403)
        found = await self._authorize(request, service)
        if isinstance(found, Response):
            return found
        refs = await to_thread.run_sync(advertise, found, service, limiter=self._threads)
        return Response(refs, media_type=f"application/x-{service}-advertisement")

    async def _fetch(self, request: Request) -> Response:
        return await self._serve(request, Service.FETCH)

    async def _push(self, request: Request) -> Response:
        return await self._serve(request, Service.PUSH)

    async def _serve(self, request: Request, service: Service) -> Response:
        if request.headers.get("content-type") != f"application/x-{service}-request":
            return PlainTextResponse("This is not a request of Git's.", 415)
        found = await self._authorize(request, service)
        if isinstance(found, Response):
            return found
        try:
            async with SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._repositories.scratch)) as body:
                async for chunk in request.stream():
                    await body.write(chunk)
                await body.seek(0)
                return await self._handle(request, found, service, body.wrapped)
        except ClientDisconnect:
            return Response(status_code=400)
        except InvalidGitRequest as error:
            log.warning("git_request_refused", repository=found.full_name, reason=str(error))
            return PlainTextResponse(f"This is not a request of Git's: {error}", 400)

    async def _handle(
        self, request: Request, repository: Repository, service: Service, body: IO[bytes]
    ) -> Response:
        is_gzipped = request.headers.get("content-encoding") == "gzip"
        limiter = self._push_limiter if service is Service.PUSH else self._threads
        with ExitStack() as stack:
            reply = stack.enter_context(self._temporary_file())
            await to_thread.run_sync(
                handle_request, repository, service, body, is_gzipped, reply, limiter=limiter
            )
            stack.pop_all()
        return _FileResponse(reply, f"application/x-{service}-result")

    def _temporary_file(self) -> tempfile.SpooledTemporaryFile[bytes]:
        return tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._repositories.scratch))

    async def _authorize(self, request: Request, service: Service) -> Repository | Response:
        authorization = request.headers.get("authorization", "")
        if service is Service.PUSH and not self._access_token.matches(authorization):
            headers = {"WWW-Authenticate": 'Basic realm="gencode forge", charset="UTF-8"'}
            return PlainTextResponse("Pushing needs the token as password.", 401, headers)
        owner, name = request.path_params["owner"], request.path_params["repo"]
        found = await to_thread.run_sync(self._repositories.find, owner, name, limiter=self._threads)
        return found or PlainTextResponse("Repository not found.", 404)


class _FileResponse(StreamingResponse):
    """Sends a file from its beginning, and closes it also when the client disconnects."""

    def __init__(self, file: tempfile.SpooledTemporaryFile[bytes], media_type: str) -> None:
        length = {"Content-Length": str(file.tell())}
        file.seek(0)
        super().__init__(_chunks(file), headers=length, media_type=media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


async def _chunks(file: tempfile.SpooledTemporaryFile[bytes]) -> AsyncIterator[bytes]:
    while chunk := await to_thread.run_sync(file.read, _CHUNK):
        yield chunk
