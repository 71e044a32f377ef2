"""Gitee (码云). https://gitee.com/api/v5/swagger"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gencode.githosts.adapter import ApiRequest, CreateRepository, FoundRepository, HostAdapter, creation_path
from gencode.githosts.port import Repository
from gencode.githosts.responses import said
from gencode.githosts.rest_api import ApiResponse


class Gitee(HostAdapter):
    """Its examples put the token into the address; the API takes it in a header as well, where it is not
    written into anybody's log."""

    name = "Gitee"
    needs = "the permissions projects and user_info, for an organisation groups as well"
    description = 200
    git_user = "oauth2"

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        body = {
            "name": asked.name,
            "path": asked.name,
            "description": asked.description,
            "private": asked.private,
            "auto_init": False,
        }
        # Within an organisation `public` decides: 0 is private, 1 public.
        more = {"public": 0 if asked.private else 1} if asked.account else {}
        return ApiRequest(path=creation_path(asked.account), body=body | more)

    def name_taken(self, answer: ApiResponse) -> bool:
        words = said(answer.body)
        return answer.status in (400, 409, 422) and ("已存在" in words or "already exists" in words)

    def read(self, body: Mapping[str, Any]) -> FoundRepository:
        return _Repository.model_validate(body).found()

    def default_branch_request(self, repo: Repository, branch: str) -> ApiRequest | None:
        body = {"name": repo.name, "default_branch": branch}
        return ApiRequest(path=self.repo_path(repo.owner, repo.name), body=body, method="PATCH")


class _Repository(BaseModel):
    """`html_url` ends with .git; `owner` is a person, even of an organisation's repository."""

    full_name: str
    html_url: str
    description: str | None = None
    default_branch: str | None = None

    def found(self) -> FoundRepository:
        owner, _, name = self.full_name.rpartition("/")
        web = self.html_url.removesuffix(".git")
        repo = Repository(owner=owner, name=name, web_url=web, clone_url=f"{web}.git")
        return FoundRepository(repo=repo, description=self.description or "", branch=self.default_branch)
