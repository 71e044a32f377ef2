"""A scripted GitHub. REST is under `/api/v3`, as on an Enterprise server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from gencode.embedded.server import address, listen
from tests.servers.githost import Fault, ReceivedRequest, Row, ScriptedHost, basic, route, served

TOKEN = "ghp_scriptedscriptedscripted0123456789"
_REPO = r"/api/v3/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"


class ScriptedGitHub(ScriptedHost):
    """https://docs.github.com/rest. `version`: of an Enterprise server, which sends it in every response."""

    routes = (
        route("GET", r"/api/v3/user", "user"),
        route("GET", r"/api/v3/orgs/(?P<org>[^/]+)", "org"),
        route("POST", r"/api/v3/user/repos", "create"),
        route("POST", r"/api/v3/orgs/(?P<org>[^/]+)/repos", "create"),
        route("GET", _REPO, "repo"),
    )
    version: str | None = None

    def __init__(self, url: str, root: Path, token: str = TOKEN) -> None:
        super().__init__(url, root, token)
        self.api_url = f"{url}/api/v3"

    def reset(self, root: Path, token: str = TOKEN) -> None:
        super().reset(root, token)

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        return seen.headers.get("authorization") in (f"Bearer {self.token}", basic(self.git_user, self.token))

    def refusal(self, status: int, message: str) -> Response:
        return self._answer({"message": message, "status": str(status)}, status)

    async def user(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return self._answer({"login": self.login, "id": 1, "type": "User"})

    async def create(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        org = found.get("org")
        if org is not None and org.lower() not in self.orgs:
            return self.refusal(404, "Not Found")
        body = seen.json()
        owner = org or self.login
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", body["name"])
        if errors := self._errors(owner, name, body):
            return self._answer({"message": "Repository creation failed.", "errors": errors}, 422)
        row = await self.create_row(name, body.get("description"), owner, private=body.get("private", False))
        return self._answer(self._json(row), 201)

    async def repo(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        row = self.visible(found["owner"], found["name"])
        return self._answer(self._json(row)) if row else self.refusal(404, "Not Found")

    def _errors(self, owner: str, name: str, body: Mapping[str, Any]) -> list[dict[str, str]]:
        description = body.get("description") or ""
        found = []
        if self.find(owner, name):
            found.append(_error("name", "name already exists on this account"))
        if len(description) > 350:
            found.append(_error("description", "description cannot be more than 350 characters"))
        if not description.isprintable():
            found.append(_error("description", "description control characters are not allowed"))
        return found

    def _answer(self, body: Mapping[str, Any], status: int = 200) -> Response:
        headers = {"x-github-enterprise-version": self.version} if self.version else None
        return JSONResponse(body, status, headers)

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.advertised_url}/{row.owner}/{row.name}"
        return {
            "id": 1,
            "name": row.name,
            "full_name": f"{row.owner}/{row.name}",
            "owner": {"login": row.owner},
            "private": row.private,
            "description": row.description,
            "html_url": web,
            "clone_url": f"{web}.git",
            "default_branch": row.branch,
        }


@asynccontextmanager
async def github_server(root: Path, token: str = TOKEN) -> AsyncIterator[ScriptedGitHub]:
    """A scripted GitHub on a free port, with its bare repositories under `root`."""
    sock = listen()
    github = ScriptedGitHub(address(sock), root, token)
    async with served(github, sock):
        yield github


def _error(field_name: str, message: str) -> dict[str, str]:
    return {"resource": "Repository", "code": "custom", "field": field_name, "message": message}


__all__ = ["TOKEN", "Fault", "ReceivedRequest", "Row", "ScriptedGitHub", "github_server", "served"]
