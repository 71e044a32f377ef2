"""The part of GitHub's REST API that gencode's client uses, with GitHub's bodies and errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gencode.embedded.forge.access import Secret
from gencode.embedded.forge.contents import branches, tip
from gencode.embedded.forge.create_request import NAME_TAKEN, Refused, failed, problem, read
from gencode.embedded.forge.github_json import Shapes, message
from gencode.embedded.forge.names import is_owner
from gencode.embedded.forge.repositories import NameTaken, Repositories, Repository, opened

PREFIX = "/api/v3"
_MAX_BODY = 64 * 1024
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_Endpoint = Callable[[Request], Awaitable[Response]]


class Rest:
    """`threads` bounds how many requests are worked on at once."""

    def __init__(self, repositories: Repositories, shapes: Shapes, secret: Secret, threads: CapacityLimiter):
        self._repositories = repositories
        self._shapes = shapes
        self._secret = secret
        self._threads = threads

    def routes(self) -> list[Route]:
        repo = "/repos/{owner}/{repo}"
        return [
            self._route("/user", self._user, needs_token=True),
            self._route("/user/repos", self._create_own, method="POST", needs_token=True),
            self._route("/orgs/{org}/repos", self._create_in_org, method="POST", needs_token=True),
            self._route(repo, self._repository),
            self._route(repo + "/git/ref/heads/{branch:path}", self._ref),
            self._route(repo + "/branches/{branch:path}", self._branch),
            Route(PREFIX + "/{rest:path}", self._unknown, methods=_METHODS),
        ]

    def _route(self, path: str, endpoint: _Endpoint, method: str = "GET", needs_token: bool = False) -> Route:
        """A wrong credential is refused everywhere, a missing one where a token is needed."""

        async def guarded(request: Request) -> Response:
            authorization = request.headers.get("authorization")
            if authorization is None and needs_token:
                return message(401, "Requires authentication")
            if authorization is not None and not self._secret.matches(authorization):
                return message(401, "Bad credentials")
            return await endpoint(request)

        return Route(PREFIX + path, guarded, methods=[method], max_body_size=_MAX_BODY)

    async def _user(self, request: Request) -> Response:
        return JSONResponse(self._shapes.owner(self._shapes.user))

    async def _create_own(self, request: Request) -> Response:
        return await self._create(self._shapes.user, request)

    async def _create_in_org(self, request: Request) -> Response:
        org = request.path_params["org"]
        if not is_owner(org) or org.lower() == self._shapes.user.lower():
            return message(404, "Not Found")
        return await self._create(org, request)

    async def _create(self, owner: str, request: Request) -> Response:
        try:
            body = await request.body()
            made = await to_thread.run_sync(self._made, owner, body, limiter=self._threads)
        except ClientDisconnect:
            return Response(status_code=400)
        except Refused as refused:
            return JSONResponse(refused.body, refused.status)
        return JSONResponse(made, 201, headers={"Location": made["url"]})

    def _made(self, owner: str, body: bytes) -> dict[str, Any]:
        create_request = read(body)
        try:
            repository = self._repositories.create(
                owner=owner,
                name=create_request.name,
                description=create_request.description,
                private=create_request.private,
            )
        except NameTaken:
            raise failed([problem("name", NAME_TAKEN)]) from None
        return self._shapes.repository(repository)

    async def _repository(self, request: Request) -> Response:
        return await self._found(
            request, lambda repository: JSONResponse(self._shapes.repository(repository))
        )

    async def _ref(self, request: Request) -> Response:
        branch = request.path_params["branch"]

        def answer(repository: Repository) -> Response:
            with opened(repository) as repo:
                if sha := tip(repo, branch):
                    return JSONResponse(self._shapes.ref(repository, branch, sha))
                if not branches(repo):
                    return message(409, "Git Repository is empty.")
            return message(404, "Not Found")

        return await self._found(request, answer)

    async def _branch(self, request: Request) -> Response:
        branch = request.path_params["branch"]

        def answer(repository: Repository) -> Response:
            with opened(repository) as repo:
                if sha := tip(repo, branch):
                    return JSONResponse(self._shapes.branch(repository, branch, sha))
            return message(404, "Branch not found")

        return await self._found(request, answer)

    async def _found(self, request: Request, answer: Callable[[Repository], Response]) -> Response:
        """The answer about the repository of the address, made in a thread."""

        def look() -> Response:
            repository = self._repositories.find(request.path_params["owner"], request.path_params["repo"])
            return answer(repository) if repository else message(404, "Not Found")

        return await to_thread.run_sync(look, limiter=self._threads)

    async def _unknown(self, request: Request) -> Response:
        return message(404, "Not Found")
