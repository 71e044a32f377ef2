"""A scripted Gitea (and Forgejo): `/api/swagger` of version 1.24, `modules/structs/repo.go`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.githost import ReceivedRequest, Row, ScriptedHost, basic, route

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")  # AlphaDashDot, MaxSize(100)


class ScriptedGitea(ScriptedHost):
    """The default branch of an empty repository is the one requested at its creation, else master."""

    routes = (
        route("GET", r"/api/v1/user", "user"),
        route("GET", r"/api/v1/orgs/(?P<org>[^/]+)", "org"),
        route("GET", r"/api/v1/users/[^/]+/orgs/(?P<org>[^/]+)/permissions", "permissions"),
        route("POST", r"/api/v1/user/repos", "create"),
        route("POST", r"/api/v1/orgs/(?P<org>[^/]+)/repos", "create"),
        route("GET", r"/api/v1/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)", "repo"),
    )
    first_push_sets_default = False

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        return seen.headers.get("authorization") in (f"token {self.token}", basic("x", self.token))

    def refusal(self, status: int, message: str) -> Response:
        return JSONResponse({"message": message, "url": f"{self.url}/api/swagger"}, status)

    async def user(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return JSONResponse({"id": 1, "login": self.login, "username": self.login})

    async def create(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        org, body = found.get("org"), seen.json()
        if org is not None and org.lower() not in self.orgs:
            return self.refusal(404, "GetOrgByName")
        if not _NAME.fullmatch(body["name"]) or len(body.get("description", "")) > 2048:
            return self.refusal(422, "[]: alpha_dash_dot,name")
        owner = org or self.login
        if self.find(owner, body["name"]):
            return self.refusal(409, "The repository with the same name already exists.")
        row = await self.create_row(
            body["name"],
            body.get("description", ""),
            owner,
            private=body.get("private", False),
            branch=body.get("default_branch") or "master",
        )
        return JSONResponse(self._json(row), 201)

    async def repo(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        row = self.visible(found["owner"], found["name"])
        return JSONResponse(self._json(row)) if row else self.refusal(404, "The target couldn't be found.")

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.advertised_url}/{row.owner}/{row.name}"
        return {
            "id": 1,
            "owner": {"id": 1, "login": row.owner, "username": row.owner},
            "name": row.name,
            "full_name": f"{row.owner}/{row.name}",
            "description": row.description or "",
            "private": row.private,
            "html_url": web,
            "clone_url": f"{web}.git",
            "ssh_url": f"git@gitea:{row.owner}/{row.name}.git",
            "default_branch": row.branch,
        }
