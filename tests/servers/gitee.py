"""A scripted Gitee: https://gitee.com/api/v5/swagger"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.githost import ReceivedRequest, Row, ScriptedHost, route

_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,190}")
_REPO = r"/api/v5/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"


class ScriptedGitee(ScriptedHost):
    """A first push does not make its branch the default one: that is `master` until it is changed."""

    routes = (
        route("GET", r"/api/v5/user", "user"),
        route("GET", r"/api/v5/orgs/(?P<org>[^/]+)", "org"),
        route("POST", r"/api/v5/user/repos", "create"),
        route("POST", r"/api/v5/orgs/(?P<org>[^/]+)/repos", "create"),
        route("GET", _REPO, "repo"),
        route("PATCH", _REPO, "change"),
    )
    git_user = "oauth2"
    first_push_sets_default = False

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        return seen.headers.get("authorization") in (f"Bearer {self.token}", f"token {self.token}")

    async def user(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        return JSONResponse({"id": 1, "login": self.login, "name": "八爪鱼"})

    async def create(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        org, body = found.get("org"), seen.json()
        if org is not None and org.lower() not in self.orgs:
            return self.refusal(404, "404 Group Not Found")
        owner, name = org or self.login, body.get("path") or body["name"]
        if not _PATH.fullmatch(name):
            return JSONResponse(
                {"error": {"path": ["只能包含字母、数字、下划线(_)、中划线(-)、英文句号(.)"]}}, 400
            )
        if len(body.get("description", "")) > 200:
            return JSONResponse({"error": {"description": ["过长（最长为 200 个字符）"]}}, 400)
        if self.find(owner, name):
            return JSONResponse({"error": {"base": ["已存在同地址仓库（忽略大小写）"]}}, 400)
        private = body.get("public") == 0 if org else body.get("private", False)
        row = await self.create_row(name, body.get("description"), owner, private=private, branch="master")
        return JSONResponse(self._json(row), 201)

    async def repo(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        row = self.visible(found["owner"], found["name"])
        return JSONResponse(self._json(row)) if row else self.refusal(404, "404 Project Not Found")

    async def change(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        body, row = seen.json(), self.visible(found["owner"], found["name"])
        if row is None or "name" not in body:
            return self.refusal(404 if row is None else 400, "name is missing")
        await self.set_default_branch(row, body["default_branch"])
        return JSONResponse(self._json(row))

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.advertised_url}/{row.owner}/{row.name}"
        return {
            "id": 1,
            "full_name": f"{row.owner}/{row.name}",
            "human_name": f"八爪鱼/{row.name}",
            "namespace": {"type": "personal", "path": row.owner},
            "path": row.name,
            "name": row.name,
            "owner": {"login": self.login},
            "description": row.description,
            "private": row.private,
            "html_url": f"{web}.git",
            "default_branch": row.branch,
        }
