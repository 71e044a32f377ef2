"""Gitea and Forgejo: GitHub's REST API of 2014, under /api/v1. See /api/swagger of any server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.githosts.api_dialect import (
    ApiDialect,
    ApiRequest,
    CreateRepository,
    creation_path,
    path_segment,
)
from gencode.githosts.responses import ApiResponse, error_text


class Gitea(ApiDialect):
    """Git accepts the token as the password of any user."""

    name = "Gitea"
    required_permissions = (
        "the scopes write:repository and write:user, for an organisation write:organization as well"
    )

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"token {token}"}

    def permission_path(self, login: str, account: str | None) -> str | None:
        return f"/users/{path_segment(login)}/orgs/{path_segment(account)}/permissions" if account else None

    def forbids_creation(self, permissions: Mapping[str, Any]) -> bool:
        return permissions.get("can_create_repository") is False

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        body = {
            "name": wanted.name,
            "description": wanted.description,
            "private": wanted.private,
            "auto_init": False,
            "default_branch": wanted.branch,
            "object_format_name": "sha1",
        }
        return ApiRequest(path=creation_path(wanted.account), body=body)

    def is_name_taken(self, response: ApiResponse) -> bool:
        """409 also reports files on the server's disk that belong to no repository."""
        return response.status == 409 and "files already exist" not in error_text(response.body).lower()


class Forgejo(Gitea):
    """Forgejo has Gitea's API."""

    name = "Forgejo"
