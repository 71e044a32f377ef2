"""Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gencode.githosts.adapter import ApiRequest, CreateRepository, FoundRepository, HostAdapter, segment
from gencode.githosts.port import Repository
from gencode.githosts.responses import said
from gencode.githosts.rest_api import ApiResponse

_USER = re.compile(r"^(https?://)[A-Za-z0-9._-]+@")


class Bitbucket(HostAdapter):
    """An account is a workspace, or `workspace/PROJECT`; there is no user's own.

    user   none for an access token of a workspace; for a person's API token the e-mail address, for an app
           password the user name
    """

    name = "Bitbucket"
    needs = "to administer and write repositories of this workspace"
    login = ""

    def __init__(self, user: str = "") -> None:
        self._user = user
        # An API token goes with the e-mail address to the API, and with this fixed name to Git.
        self.git_user = "x-bitbucket-api-token-auth" if "@" in user else user or "x-token-auth"

    def headers(self, token: str) -> dict[str, str]:
        if not self._user:
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": "Basic " + b64encode(f"{self._user}:{token}".encode()).decode("ascii")}

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        workspace, _, project = (asked.account or "").partition("/")
        body = {"scm": "git", "description": asked.description, "is_private": asked.private}
        within = {"project": {"key": project}} if project else {}
        return ApiRequest(path=self.repo_path(workspace, self.named(asked.name)), body=body | within)

    def repo_path(self, owner: str, name: str) -> str:
        return f"/repositories/{segment(owner.partition('/')[0])}/{segment(name)}"

    def named(self, name: str) -> str:
        """The name in an address is chosen by who creates, in small letters."""
        return name.lower()

    def name_taken(self, answer: ApiResponse) -> bool:
        return answer.status in (400, 409) and "already exists" in said(answer.body)

    def read(self, body: Mapping[str, Any]) -> FoundRepository:
        return _Repository.model_validate(body).found()


class _Link(BaseModel):
    href: str
    name: str = ""


class _Links(BaseModel):
    html: _Link
    clone: list[_Link]


class _Branch(BaseModel):
    name: str


class _Repository(BaseModel):
    full_name: str
    links: _Links
    description: str | None = None
    mainbranch: _Branch | None = None

    def found(self) -> FoundRepository:
        owner, _, name = self.full_name.partition("/")
        clone = next((link.href for link in self.links.clone if link.name == "https"), "")
        # It names the token's user, which a clone by somebody else must not.
        repo = Repository(
            owner=owner, name=name, web_url=self.links.html.href, clone_url=_USER.sub(r"\1", clone)
        )
        branch = self.mainbranch.name if self.mainbranch else None
        return FoundRepository(repo=repo, description=self.description or "", branch=branch)
