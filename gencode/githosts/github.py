"""GitHub, GitHub Enterprise, and servers with the same REST API, such as the embedded forge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from gencode.githosts.api_dialect import ApiDialect, ApiRequest, CreateRepository, creation_path
from gencode.githosts.connection_options import Endpoint, HostOptions
from gencode.githosts.host_identity import HostIdentity, github_identity
from gencode.githosts.http_client import HttpReply
from gencode.githosts.origins import github_web_origin
from gencode.githosts.responses import ApiResponse
from gencode.githosts.rest_host import RestGitHost
from gencode.security.redaction import sanitize


def github_host(
    api_url: str,
    token: str,
    client: httpx.AsyncClient,
    options: HostOptions,
    identity: HostIdentity | None = None,
) -> RestGitHost:
    """The host of GITHUB_API_URL. Raises StartError for an invalid URL or token.

    api_url   https://api.github.com, or https://HOST/api/v3 of an Enterprise server
    """
    identity = identity or github_identity()
    web = github_web_origin(api_url, identity.url_setting)
    endpoint = Endpoint(api_url=api_url, web=web, token=token)
    return RestGitHost(GitHub(), identity, endpoint, client, options)


class GitHub(ApiDialect):
    """https://docs.github.com/rest/repos/repos"""

    name = "GitHub"
    required_permissions = "to create repositories: scope repo, or permission administration=write"

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def create_request(self, wanted: CreateRepository) -> ApiRequest:
        body = {
            "name": wanted.name,
            "description": wanted.description,
            "private": wanted.private,
            "auto_init": False,
        }
        return ApiRequest(path=creation_path(wanted.account), body=body)

    def normalized_name(self, name: str) -> str:
        """GitHub replaces each run of characters that are not allowed by one "-"."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", name)

    def is_name_taken(self, response: ApiResponse) -> bool:
        return response.status == 422 and reports_taken_name(response.body)

    def missing_scope(self, reply: HttpReply, *, private: bool) -> bool:
        """Only classic tokens have scopes, which every response names. An empty list can also be that of an
        app's token, whose permissions are not scopes."""
        scopes = {scope.strip() for scope in reply.headers.get("x-oauth-scopes", "").split(",")} - {""}
        enough = {"repo"} if private else {"repo", "public_repo"}
        return bool(scopes) and not scopes & enough

    def permission_hint(self, reply: HttpReply) -> str:
        """The lacking permission, as the headers describe it (docs.github.com: "Troubleshooting the REST
        API")."""
        headers = reply.headers
        if sso := headers.get("x-github-sso"):
            # Its URL carries a request token after the "?".
            url = re.search(r"url=([^?;\s]+)", sso)
            where = f" at {sanitize(url[1])}" if url else ""
            return f"the organisation wants it authorised for single sign-on (SSO){where}"
        if needed := headers.get("x-accepted-github-permissions"):
            return f"it needs the permission {sanitize(needed)}"
        if "x-oauth-scopes" in headers:
            has = sanitize(headers["x-oauth-scopes"]) or "none"
            accepted = sanitize(headers.get("x-accepted-oauth-scopes", "")) or "repo"
            return f"it needs one of the scopes {accepted}, has {has}"
        return super().permission_hint(reply)


def reports_taken_name(body: Mapping[str, Any]) -> bool:
    """Whether `errors` says that the name exists: GitHub answers 422 for other reasons as well."""
    errors = body.get("errors")
    return isinstance(errors, list) and any(
        isinstance(error, dict)
        and error.get("field") == "name"
        and (error.get("code") == "already_exists" or "already exists" in str(error.get("message")))
        for error in errors
    )
