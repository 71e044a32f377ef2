"""GitLab, in the cloud or one's own. https://docs.gitlab.com/api/projects/"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gencode.githosts.adapter import ApiRequest, CreateRepository, FoundRepository, HostAdapter, segment
from gencode.githosts.port import Repository
from gencode.githosts.responses import said
from gencode.githosts.rest_api import ApiResponse


class GitLab(HostAdapter):
    """A project lies in a namespace: a user's own, or a group's, which may be a subgroup (`group/subgroup`).
    The first push makes its branch the default and protects it."""

    name = "GitLab"
    needs = "the scope api, and in a group the role that may create projects and push to a protected branch"
    login = "username"
    git_user = "oauth2"

    def headers(self, token: str) -> dict[str, str]:
        return {"PRIVATE-TOKEN": token}

    def account_path(self, account: str) -> str | None:
        """Creating takes a namespace by its number."""
        return f"/namespaces/{segment(account)}"

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        body = {
            "name": asked.name,
            "path": asked.name,
            "description": asked.description,
            "visibility": "private" if asked.private else "public",
            "initialize_with_readme": False,
        }
        return ApiRequest(path="/projects", body=body | _namespace(asked.known))

    def repo_path(self, owner: str, name: str) -> str:
        return f"/projects/{segment(f'{owner}/{name}')}"

    def name_taken(self, answer: ApiResponse) -> bool:
        return answer.status in (400, 409) and "has already been taken" in said(answer.body)

    def read(self, body: Mapping[str, Any]) -> FoundRepository:
        return _Project.model_validate(body).found()


def _namespace(known: Mapping[str, Any]) -> dict[str, Any]:
    return {"namespace_id": known["id"]} if "id" in known else {}


class _Namespace(BaseModel):
    full_path: str


class _Project(BaseModel):
    namespace: _Namespace
    path: str
    web_url: str
    http_url_to_repo: str
    description: str | None = None
    default_branch: str | None = None

    def found(self) -> FoundRepository:
        repo = Repository(
            owner=self.namespace.full_path,
            name=self.path,
            web_url=self.web_url,
            clone_url=self.http_url_to_repo,
        )
        return FoundRepository(repo=repo, description=self.description or "", branch=self.default_branch)
