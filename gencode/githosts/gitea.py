"""Gitea and Forgejo: GitHub's REST API of 2014, under /api/v1. See /api/swagger of any server."""

from __future__ import annotations

from gencode.githosts.adapter import ApiRequest, CreateRepository, HostAdapter, creation_path
from gencode.githosts.rest_api import ApiResponse


class Gitea(HostAdapter):
    """Git takes the token as the password of any user."""

    name = "Gitea"
    needs = "the scopes write:repository and write:user, for an organisation write:organization as well"

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"token {token}"}

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        body = {
            "name": asked.name,
            "description": asked.description,
            "private": asked.private,
            "auto_init": False,
            "default_branch": asked.branch,
        }
        return ApiRequest(path=creation_path(asked.account), body=body)

    def name_taken(self, answer: ApiResponse) -> bool:
        return answer.status == 409


class Forgejo(Gitea):
    """The same API."""

    name = "Forgejo"
