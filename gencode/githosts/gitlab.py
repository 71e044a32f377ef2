"""GitLab, hosted or self-managed. https://docs.gitlab.com/api/projects/"""

from __future__ import annotations

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


class GitLab(ApiDialect):
    """A project belongs to a namespace: a user's own, or a group's, which may be a subgroup
    (`group/subgroup`). The first push makes its branch the default and protects it."""

    name = "GitLab"
    required_permissions = (
        "the scope api, and in a group the role that may create projects and push to a protected branch"
    )
    login_field = "username"
    git_user = "oauth2"

    def headers(self, token: str) -> dict[str, str]:
        return {"PRIVATE-TOKEN": token}

    def account_path(self, account: str) -> str | None:
        """The request to create a project identifies its namespace by number."""
        return f"/namespaces/{path_segment(account)}"

    def account_check_path(self, account: str) -> str | None:
        return None

    def permission_path(self, login: str, account: str | None) -> str | None:
        return None if account else "/user"

    def forbids_creation(self, permissions: Mapping[str, Any]) -> bool:
        """Also true when the user's limit of projects is reached."""
        return permissions.get("can_create_project") is False

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        body = {
            "name": wanted.name,
            "path": wanted.name,
            "description": wanted.description,
            "visibility": "private" if wanted.private else "public",
            "initialize_with_readme": False,
        }
        return ApiRequest(path="/projects", body=body | _namespace(wanted.account_details))

    def repo_path(self, owner: str, name: str) -> str:
        return f"/projects/{path_segment(f'{owner}/{name}')}"

    def is_name_taken(self, response: ApiResponse) -> bool:
        """409: another request created it at the same time."""
        return response.status == 409 or (
            response.status == 400 and "has already been taken" in error_text(response.body)
        )

    def parse_repository(self, body: Mapping[str, Any]) -> FoundRepository:
        return _ProjectJson.model_validate(body).found()


def _namespace(account_details: Mapping[str, Any]) -> dict[str, Any]:
    return {"namespace_id": account_details["id"]} if "id" in account_details else {}


class _NamespaceJson(BaseModel, defer_build=True):
    full_path: str


class _ProjectJson(BaseModel, defer_build=True):
    namespace: _NamespaceJson
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
        return FoundRepository(
            repo=repo, description=self.description or "", default_branch=self.default_branch
        )
