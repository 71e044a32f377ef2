"""Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gencode.githosts.api_dialect import (
    ApiDialect,
    ApiRequest,
    CreateRepository,
    FoundRepository,
    path_segment,
)
from gencode.githosts.port import Repository
from gencode.githosts.responses import ApiResponse, error_text

_TAKEN = re.compile(
    r"repository with this slug and owner already exists|have a repository with this name", re.I
)
"""Not: "Project with this Owner and Key already exists"."""
_USER_IN_URL = re.compile(r"^(https?://)[A-Za-z0-9._-]+@")


class Bitbucket(ApiDialect):
    """An account is a workspace, or `workspace/PROJECT`; users have no account of their own.

    user   "" for the access token of a workspace; the e-mail address for a user's API token; the user
           name for an app password
    """

    name = "Bitbucket"
    required_permissions = "to administer and write repositories of this workspace"
    login_field = ""

    def __init__(self, user: str = "") -> None:
        self._user = user
        # An API token is sent with the e-mail address to the API, and with this fixed name to Git.
        self.git_user = "x-bitbucket-api-token-auth" if "@" in user else user or "x-token-auth"

    def headers(self, token: str) -> dict[str, str]:
        if not self._user:
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": "Basic " + b64encode(f"{self._user}:{token}".encode()).decode("ascii")}

    def account_check_path(self, account: str) -> str | None:
        """The workspace itself would need another scope than the one for repositories."""
        return f"/repositories/{path_segment(account.partition('/')[0])}?pagelen=1&fields=size"

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        workspace, _, project = (wanted.account or "").partition("/")
        body = {"scm": "git", "description": wanted.description, "is_private": wanted.private}
        within = {"project": {"key": project}} if project else {}
        path = self.repo_path(workspace, self.normalized_name(wanted.name))
        return ApiRequest(path=path, body=body | within)

    def repo_path(self, owner: str, name: str) -> str:
        workspace = owner.partition("/")[0]
        return f"/repositories/{path_segment(workspace)}/{path_segment(name)}"

    def normalized_name(self, name: str) -> str:
        """The client chooses the name in the URL, which must be in lower case."""
        return name.lower()

    def is_name_taken(self, response: ApiResponse) -> bool:
        return response.status in (400, 409) and bool(_TAKEN.search(error_text(response.body)))

    def parse_repository(self, body: Mapping[str, Any]) -> FoundRepository:
        return _RepositoryJson.model_validate(body).found()


class _LinkJson(BaseModel, defer_build=True):
    href: str
    name: str = ""


class _LinksJson(BaseModel, defer_build=True):
    html: _LinkJson
    clone: list[_LinkJson]


class _BranchJson(BaseModel, defer_build=True):
    name: str


class _RepositoryJson(BaseModel, defer_build=True):
    full_name: str
    links: _LinksJson
    description: str | None = None
    mainbranch: _BranchJson | None = None

    def found(self) -> FoundRepository:
        owner, _, name = self.full_name.partition("/")
        clone = next((link.href for link in self.links.clone if link.name == "https"), "")
        # The URL contains the token's user, which must not be part of a clone URL for others.
        repo = Repository(
            owner=owner, name=name, web_url=self.links.html.href, clone_url=_USER_IN_URL.sub(r"\1", clone)
        )
        branch = self.mainbranch.name if self.mainbranch else None
        return FoundRepository(repo=repo, description=self.description or "", default_branch=branch)
