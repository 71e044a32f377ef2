"""A scripted GitLab: doc/api/projects.md, doc/api/namespaces.md of version 18."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.githost import ReceivedRequest, Row, ScriptedHost, route

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
TAKEN = ["has already been taken"]


class ScriptedGitLab(ScriptedHost):
    """`groups`: ids, by full path, of the namespaces in which the token may create."""

    routes = (
        route("GET", r"/api/v4/user", "user"),
        route("GET", r"/api/v4/namespaces/(?P<path>[^/]+)", "namespace"),
        route("POST", r"/api/v4/projects", "create"),
        route("GET", r"/api/v4/projects/(?P<path>[^/]+)", "repo"),
    )
    git_user = "oauth2"

    def reset(self, root: Path, token: str) -> None:
        super().reset(root, token)
        self.groups = {"acme": 7, "acme/tools": 8}

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        return seen.headers.get("private-token") == self.token

    async def user(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        body = {"id": 1, "username": self.login, "state": "active", "can_create_project": self.may_create}
        return JSONResponse(body)

    async def namespace(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        if (number := self.groups.get(found["path"].lower())) is None:
            return self.refusal(404, "404 Namespace Not Found")
        return JSONResponse({"id": number, "kind": "group", "full_path": found["path"]})

    async def create(self, seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        body = seen.json()
        owner = self._owner(body.get("namespace_id"))
        if owner is None:
            return JSONResponse({"message": {"namespace": ["is not valid"]}}, 400)
        if not _PATH.fullmatch(body["path"]):
            return JSONResponse(
                {"message": {"path": ["can contain only letters, digits, '_', '-' and '.'"]}}, 400
            )
        if self.find(owner, body["path"]):
            return JSONResponse(
                {"message": {"project_namespace.name": TAKEN, "name": TAKEN, "path": TAKEN}}, 400
            )
        private = body.get("visibility", "private") == "private"
        row = await self.create_row(
            body["path"], body.get("description"), owner, private=private, branch="master"
        )
        return JSONResponse(self._json(row), 201)

    def _owner(self, number: int | None) -> str | None:
        if number is None:
            return self.login
        return next((path for path, known in self.groups.items() if known == number), None)

    async def repo(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        owner, _, name = found["path"].rpartition("/")
        row = self.visible(owner, name)
        return JSONResponse(self._json(row)) if row else self.refusal(404, "404 Project Not Found")

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.advertised_url}/{row.owner}/{row.name}"
        return {
            "id": 1,
            "name": row.name,
            "path": row.name,
            "path_with_namespace": f"{row.owner}/{row.name}",
            "namespace": {"id": 1, "path": row.owner.rpartition("/")[2], "full_path": row.owner},
            "description": row.description,
            "visibility": "private" if row.private else "public",
            "web_url": web,
            "http_url_to_repo": f"{web}.git",
            "ssh_url_to_repo": f"git@gitlab:{row.owner}/{row.name}.git",
            "default_branch": row.branch,
            "empty_repo": True,
        }
