"""GitHub, GitHub Enterprise, and whatever speaks their REST API, such as the local forge."""

from __future__ import annotations

import re
from typing import Any

import httpx

from gencode.hosts.addresses import web_origin
from gencode.hosts.api import Answer
from gencode.hosts.dialect import Asked, Dialect, Wish, creation_path
from gencode.hosts.github_answers import name_taken, permission_hint
from gencode.hosts.party import Party, github_party
from gencode.hosts.rest_host import RestHost
from gencode.hosts.wire import Reply
from gencode.retry import Retry


class GitHubDialect(Dialect):
    """https://docs.github.com/rest/repos/repos"""

    name = "GitHub"
    needs = "to create repositories: scope repo, or permission administration=write"

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def wish(self, asked: Asked) -> Wish:
        body = {
            "name": asked.name,
            "description": asked.description,
            "private": asked.private,
            "auto_init": False,
        }
        return Wish(path=creation_path(asked.account), body=body)

    def named(self, name: str) -> str:
        """GitHub puts one "-" for each run of characters that a name may not have."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", name)

    def name_taken(self, answer: Answer) -> bool:
        return answer.status == 422 and name_taken(answer.body)

    def hint(self, reply: Reply) -> str:
        return permission_hint(reply)


class GitHub(RestHost):
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
        party: Party | None = None,
        **options: Any,
    ) -> None:
        party = party or github_party()
        web = web_origin(api_url, party.address)
        super().__init__(GitHubDialect(), party, api_url, web, token, client, retry, **options)
