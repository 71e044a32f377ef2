"""GitHub, GitHub Enterprise, and whatever speaks their REST API, such as the local forge."""

from __future__ import annotations

import re
from typing import Any

import httpx

from gencode.githosts.adapter import ApiRequest, CreateRepository, HostAdapter, creation_path
from gencode.githosts.github_responses import name_taken, permission_hint
from gencode.githosts.http_client import HttpReply
from gencode.githosts.origins import web_origin
from gencode.githosts.profile import HostProfile, github_profile
from gencode.githosts.rest_api import ApiResponse
from gencode.githosts.rest_host import RestGitHost
from gencode.resilience.retry import Retry


class GitHubAdapter(HostAdapter):
    """https://docs.github.com/rest/repos/repos"""

    name = "GitHub"
    needs = "to create repositories: scope repo, or permission administration=write"

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def create_request(self, asked: CreateRepository) -> ApiRequest:
        body = {
            "name": asked.name,
            "description": asked.description,
            "private": asked.private,
            "auto_init": False,
        }
        return ApiRequest(path=creation_path(asked.account), body=body)

    def named(self, name: str) -> str:
        """GitHub puts one "-" for each run of characters that a name may not have."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", name)

    def name_taken(self, answer: ApiResponse) -> bool:
        return answer.status == 422 and name_taken(answer.body)

    def hint(self, reply: HttpReply) -> str:
        return permission_hint(reply)


class GitHub(RestGitHost):
    """Options are RestHost's. Raises StartError for an address or a token that cannot work.

    api_url   https://api.github.com, or https://HOST/api/v3 of an Enterprise server
    """

    def __init__(
        self,
        api_url: str,
        token: str,
        client: httpx.AsyncClient,
        retry: Retry,
        *,
        profile: HostProfile | None = None,
        **options: Any,
    ) -> None:
        profile = profile or github_profile()
        web = web_origin(api_url, profile.address)
        super().__init__(GitHubAdapter(), profile, api_url, web, token, client, retry, **options)
