"""A scripted Bitbucket Cloud: https://developer.atlassian.com/cloud/bitbucket/rest/"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.githost import ReceivedRequest, Row, ScriptedHost, basic, route

_SLUG = re.compile(r"[a-z0-9_.-]{1,62}")
_REPO = r"/2\.0/repositories/(?P<owner>[^/]+)/(?P<name>[^/]+)"
PROJECTS = {"TOOLS"}


class ScriptedBitbucket(ScriptedHost):
    """Names in URLs are in lower case. `person`: the owner of a personal API token; None for a workspace."""

    routes = (
        route("POST", _REPO, "create"),
        route("GET", _REPO, "repo"),
        route("GET", r"/2\.0/repositories/(?P<org>[^/]+)", "org"),
    )
    git_user = "x-token-auth"
    person: str | None = None

    def reset(self, root: Path, token: str) -> None:
        super().reset(root, token)
        self.orgs = {"acme", self.login}
        self.projects: dict[str, str] = {}

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        wanted = basic(self.person, self.token) if self.person else f"Bearer {self.token}"
        return seen.headers.get("authorization") == wanted

    def refusal(self, status: int, message: str) -> Response:
        return JSONResponse({"type": "error", "error": {"message": message}}, status)

    async def create(self, seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        owner, slug, body = found["owner"].lower(), found["name"], seen.json()
        if owner not in self.orgs:
            return self.refusal(404, f"No workspace with identifier '{owner}'.")
        project = body.get("project", {}).get("key")
        if project and project not in PROJECTS:
            return self.refusal(400, "Project matching query does not exist.")
        if not _SLUG.fullmatch(slug):
            return self.refusal(400, "Invalid slug")
        if self.find(owner, slug):
            message = "Repository with this Slug and Owner already exists."
            fields = {"name": ["You already have a repository with this name."]}
            return JSONResponse({"type": "error", "error": {"fields": fields, "message": message}}, 400)
        private = body.get("is_private", False)
        row = await self.create_row(slug, body.get("description"), owner, private=private, branch="master")
        self.projects[slug] = project or "FIRST"
        return JSONResponse(self._json(row))

    async def repo(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        row = self.visible(found["owner"], found["name"])
        missing = f"Repository {found['owner']}/{found['name']} not found"
        if row is None:
            return self.refusal(404, missing)
        is_pushed = await self.head(row.name, row.owner, row.branch) is not None
        branch = {"type": "branch", "name": row.branch} if is_pushed else None
        return JSONResponse({**self._json(row), "mainbranch": branch})

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.advertised_url}/{row.owner}/{row.name}"
        with_user = web.replace("://", "://octo-bot@")
        return {
            "type": "repository",
            "uuid": "{0}",
            "full_name": f"{row.owner}/{row.name}",
            "name": row.name,
            "slug": row.name,
            "scm": "git",
            "is_private": row.private,
            "description": row.description or "",
            "mainbranch": None,
            "links": {
                "html": {"href": web},
                "clone": [
                    {"name": "ssh", "href": f"git@bitbucket.org:{row.owner}/{row.name}.git"},
                    {"name": "https", "href": f"{with_user}.git"},
                ],
            },
        }
