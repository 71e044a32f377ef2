"""The part of GitHub's REST API that gencode uses, with GitHub's response bodies and errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gencode.embedded.forge.access_token import AccessToken
from gencode.embedded.forge.contents import branch_sha, branches
from gencode.embedded.forge.create_request import (
    NAME_TAKEN,
    CreateRejected,
    creation_failed,
    field_error,
    parse_create_request,
)
from gencode.embedded.forge.github_json import GitHubJson, message_response
from gencode.embedded.forge.names import is_valid_owner
from gencode.embedded.forge.repositories import NameTaken, Repositories, Repository, open_repository

PREFIX = "/api/v3"
_MAX_BODY = 64 * 1024
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_Endpoint = Callable[[Request], Awaitable[Response]]


class RestApi:
    """`threads` limits how many requests use the disk at once."""

    def __init__(
        self,
        repositories: Repositories,
        json: GitHubJson,
        access_token: AccessToken,
        threads: CapacityLimiter,
    ) -> None:
        self._repositories = repositories
        self._json = json
        self._access_token = access_token
        self._threads = threads

    def routes(self) -> list[Route]:
        repo = "/repos/{owner}/{repo}"
        return [
            self._route("/user", self._user, needs_token=True),
            self._route("/user/repos", self._create_own, method="POST", needs_token=True),
            self._route("/orgs/{org}", self._org),
            self._route("/orgs/{org}/repos", self._create_in_org, method="POST", needs_token=True),
            self._route(repo, self._repository),
            self._route(repo + "/git/ref/heads/{branch:path}", self._ref),
            self._route(repo + "/branches/{branch:path}", self._branch),
            Route(PREFIX + "/{rest:path}", self._unknown, methods=_METHODS),
        ]

    def _route(self, path: str, endpoint: _Endpoint, method: str = "GET", needs_token: bool = False) -> Route:
        """Every route rejects a wrong credential; those with `needs_token` also reject a missing one."""

        async def authenticated(request: Request) -> Response:
            authorization = request.headers.get("authorization")
            if authorization is None and needs_token:
                return message_response(401, "Requires authentication")
            if authorization is not None and not self._access_token.matches(authorization):
                return message_response(401, "Bad credentials")
            return await endpoint(request)

        return Route(PREFIX + path, authenticated, methods=[method], max_body_size=_MAX_BODY)

    async def _user(self, request: Request) -> Response:
        return JSONResponse(self._json.owner(self._json.user))

    async def _org(self, request: Request) -> Response:
        """Every valid name is an organisation, which is created with its first repository."""
        org = request.path_params["org"]
        return (
            JSONResponse(self._json.owner(org)) if self._is_org(org) else message_response(404, "Not Found")
        )

    def _is_org(self, name: str) -> bool:
        return is_valid_owner(name) and name.lower() != self._json.user.lower()

    async def _create_own(self, request: Request) -> Response:
        return await self._create(self._json.user, request)

    async def _create_in_org(self, request: Request) -> Response:
        org = request.path_params["org"]
        if not self._is_org(org):
            return message_response(404, "Not Found")
        return await self._create(org, request)

    async def _create(self, owner: str, request: Request) -> Response:
        try:
            body = await request.body()
            created = await to_thread.run_sync(self._create_blocking, owner, body, limiter=self._threads)
        except ClientDisconnect:
            return Response(status_code=400)
        except CreateRejected as rejected:
            return JSONResponse(rejected.body, rejected.status)
        return JSONResponse(created, 201, headers={"Location": created["url"]})

    def _create_blocking(self, owner: str, body: bytes) -> dict[str, Any]:
        wanted = parse_create_request(body)
        try:
            repository = self._repositories.create(
                owner=owner,
                name=wanted.name,
                description=wanted.description,
                private=wanted.private,
            )
        except NameTaken:
            raise creation_failed([field_error("name", NAME_TAKEN)]) from None
        return self._json.repository(repository)

    async def _repository(self, request: Request) -> Response:
        return await self._with_repository(
            request, lambda repository: JSONResponse(self._json.repository(repository))
        )

    async def _ref(self, request: Request) -> Response:
        branch = request.path_params["branch"]

        def render(repository: Repository) -> Response:
            with open_repository(repository) as repo:
                if sha := branch_sha(repo, branch):
                    return JSONResponse(self._json.ref(repository, branch, sha))
                if not branches(repo):
                    return message_response(409, "Git Repository is empty.")
            return message_response(404, "Not Found")

        return await self._with_repository(request, render)

    async def _branch(self, request: Request) -> Response:
        branch = request.path_params["branch"]

        def render(repository: Repository) -> Response:
            with open_repository(repository) as repo:
                if sha := branch_sha(repo, branch):
                    return JSONResponse(self._json.branch(repository, branch, sha))
            return message_response(404, "Branch not found")

        return await self._with_repository(request, render)

    async def _with_repository(self, request: Request, render: Callable[[Repository], Response]) -> Response:
        """Find the repository of the URL and render its response, in a thread; 404 if there is none."""

        def respond() -> Response:
            repository = self._repositories.find(request.path_params["owner"], request.path_params["repo"])
            return render(repository) if repository else message_response(404, "Not Found")

        return await to_thread.run_sync(respond, limiter=self._threads)

    async def _unknown(self, request: Request) -> Response:
        return message_response(404, "Not Found")
