"""A scripted GitLab: doc/api/projects.md, doc/api/namespaces.md of version 18."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.githost import Row, ScriptedHost, Seen, route

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
TAKEN = ["has already been taken"]


class ScriptedGitLab(ScriptedHost):
    """`groups`: numbers of the namespaces that the token may create in, by full path."""

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

    def knows(self, seen: Seen) -> bool:
        return seen.headers.get("private-token") == self.token

    async def user(self, _seen: Seen, _found: Mapping[str, str]) -> Response:
        return JSONResponse({"id": 1, "username": self.login, "state": "active"})

    async def namespace(self, _seen: Seen, found: Mapping[str, str]) -> Response:
        if (number := self.groups.get(found["path"].lower())) is None:
            return self.refusal(404, "404 Namespace Not Found")
        return JSONResponse({"id": number, "kind": "group", "full_path": found["path"]})

    async def create(self, seen: Seen, _found: Mapping[str, str]) -> Response:
        create_request = seen.json()
        owner = self._owner(create_request.get("namespace_id"))
        if owner is None:
            return JSONResponse({"message": {"namespace": ["is not valid"]}}, 400)
        if not _PATH.fullmatch(create_request["path"]):
            return JSONResponse(
                {"message": {"path": ["can contain only letters, digits, '_', '-' and '.'"]}}, 400
            )
        if self.find(owner, create_request["path"]):
            return JSONResponse(
                {"message": {"project_namespace.name": TAKEN, "name": TAKEN, "path": TAKEN}}, 400
            )
        private = create_request.get("visibility", "private") == "private"
        row = await self.created(
            create_request["path"], create_request.get("description"), owner, private=private, branch="master"
        )
        return JSONResponse(self._json(row), 201)

    def _owner(self, number: int | None) -> str | None:
        if number is None:
            return self.login
        return next((path for path, known in self.groups.items() if known == number), None)

    async def repo(self, _seen: Seen, found: Mapping[str, str]) -> Response:
        owner, _, name = found["path"].rpartition("/")
        row = self.look(owner, name)
        return JSONResponse(self._json(row)) if row else self.refusal(404, "404 Project Not Found")

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.says}/{row.owner}/{row.name}"
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
