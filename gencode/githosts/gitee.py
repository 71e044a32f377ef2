"""Gitee (码云). https://gitee.com/api/v5/swagger"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gencode.githosts.api_dialect import (
    ApiDialect,
    ApiRequest,
    CreateRepository,
    FoundRepository,
    creation_path,
)
from gencode.githosts.port import Repository
from gencode.githosts.responses import ApiResponse, error_text


class Gitee(ApiDialect):
    """Its examples put the token into the URL; the API also accepts it in a header, where access logs do not
    record it."""

    name = "Gitee"
    required_permissions = "the permissions projects and user_info, for an organisation groups as well"
    max_description = 200
    git_user = "oauth2"

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        body = {
            "name": wanted.name,
            "path": wanted.name,
            "description": wanted.description,
            "private": wanted.private,
            "auto_init": False,
        }
        # Within an organisation `public` decides: 0 is private, 1 public.
        visibility = {"public": 0 if wanted.private else 1} if wanted.account else {}
        return ApiRequest(path=creation_path(wanted.account), body=body | visibility)

    def is_name_taken(self, response: ApiResponse) -> bool:
        text = error_text(response.body)
        return response.status in (200, 201, 400, 409, 422) and ("已存在" in text or "already exists" in text)

    def parse_repository(self, body: Mapping[str, Any]) -> FoundRepository:
        return _RepositoryJson.model_validate(body).found()

    def default_branch_request(self, repo: Repository, branch: str) -> ApiRequest | None:
        body = {"name": repo.name, "default_branch": branch}
        return ApiRequest(path=self.repo_path(repo.owner, repo.name), body=body, method="PATCH")


class _RepositoryJson(BaseModel, defer_build=True):
    """`html_url` ends with .git; `owner` is a user, even for an organisation's repository."""

    full_name: str
    html_url: str
    description: str | None = None
    default_branch: str | None = None

    def found(self) -> FoundRepository:
        owner, _, name = self.full_name.rpartition("/")
        web = self.html_url.removesuffix(".git")
        repo = Repository(owner=owner, name=name, web_url=web, clone_url=f"{web}.git")
        return FoundRepository(
            repo=repo, description=self.description or "", default_branch=self.default_branch
        )
