"""Checks of Git hosts: whether each accepts its token, and what the token may do, if the host reports it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.domain.errors import StartError
from gencode.githosts.api_dialect import credentials
from gencode.githosts.host_types import whoami
from gencode.githosts.http_client import HttpReply, exchange
from gencode.githosts.name_rules import GITHUB
from gencode.githosts.responses import error_text, json_object
from gencode.security.redaction import quoted, sanitize
from gencode.settings import NamedHost, Settings

REQUEST_TIMEOUT = 15.0  # seconds
EXPIRES_SOON = timedelta(days=7)


def configured_hosts(settings: Settings) -> dict[str, NamedHost]:
    """All hosts by name: those of HOSTS and, with GITHUB_TOKEN, GitHub."""
    hosts = dict(settings.hosts)
    if settings.github_token:
        url, owner = settings.github_api_url, settings.github_owner
        hosts = {GITHUB: NamedHost(kind=GITHUB, url=url, token=settings.github_token, owner=owner), **hosts}
    return hosts


async def check_git_host(
    name: str, entry: NamedHost, client: httpx.AsyncClient, *, workflows: bool
) -> list[CheckResult]:
    """Check a host by one GET request. `workflows`: whether the token must be able to push
    .github/workflows."""
    about, token = f"host {name}", entry.token.get_secret_value()
    secrets: tuple[str, ...] = (token,)
    if entry.path:
        return [_check_directory(about, entry.path)]
    try:
        address, headers = whoami(entry.kind, name, entry.url, entry.user, token)
        secrets = credentials(token, headers)
        reply = await exchange(client, client.build_request("GET", address, headers=headers), REQUEST_TIMEOUT)
    except StartError as error:
        return [fault(about, error.message, "correct the setting")]
    except httpx.HTTPError as error:
        detail = quoted(str(error) or type(error).__name__, secrets)
        return [
            fault(about, f"cannot be reached{detail}", "see the address, the network and the certificates")
        ]
    return _evaluate(about, entry, reply, secrets, workflows)


def _evaluate(
    about: str, entry: NamedHost, reply: HttpReply, secrets: tuple[str, ...], workflows: bool
) -> list[CheckResult]:
    body: Mapping[str, Any] = json_object(reply) or {}
    detail = quoted(error_text(body), secrets)
    if reply.status == 401:
        return [
            fault(about, f"the token is refused{detail}", "make a new one; it is wrong, expired or revoked")
        ]
    if reply.status == 404 or reply.status < 200 or 300 <= reply.status < 400:
        return [
            fault(about, f"it answers {reply.status}: no API of {entry.kind} is there", "correct the address")
        ]
    if reply.status != 200 or not body:
        return [
            note(about, f"it answers {reply.status}{detail}", "look again later; the token may be limited")
        ]
    login = sanitize(
        str(body.get("login") or body.get("username") or body.get("name") or "its owner"), secrets
    )
    results = [
        ok(about, f"the token of {login} is accepted"),
        _check_permissions(about, entry.kind, reply, body, workflows),
    ]
    return [*results, *_check_expiry(about, reply, body)]


def _check_permissions(
    about: str, kind: str, reply: HttpReply, body: Mapping[str, Any], workflows: bool
) -> CheckResult:
    if kind == GITHUB and "x-oauth-scopes" in reply.headers:
        return _github_scopes(about, _scopes(reply.headers["x-oauth-scopes"]), workflows)
    if kind == GITHUB:
        message = "GitHub does not tell what a fine-grained token may do"
        advice = "see that it has Administration and Contents, read and write, for the owner's repositories"
        return note(about, message, advice + (", and Workflows" if workflows else ""))
    if kind == "gitlab" and isinstance(body.get("scopes"), list):
        scopes = {str(scope) for scope in body["scopes"]}
        if "api" not in scopes:
            return fault(about, f"the token has {_joined(scopes)}, not the scope api", "make one with it")
        return ok(about, "the token has the scope api")
    return note(
        about, "this host does not tell what the token may do", "it must create repositories and push"
    )


def _github_scopes(about: str, scopes: set[str], workflows: bool) -> CheckResult:
    has = f"the token has {_joined(scopes)}"
    if not scopes & {"repo", "public_repo"}:
        return fault(about, f"{has}: it may create no repository", "make a token with the scope repo")
    if "repo" not in scopes:
        return note(about, f"{has}: public repositories only", "add repo, or ask with --public each time")
    if workflows and "workflow" not in scopes:
        return fault(
            about, f"{has}; ALLOW_WORKFLOWS needs workflow", "add that scope, or unset ALLOW_WORKFLOWS"
        )
    return ok(about, has)


def _check_expiry(about: str, reply: HttpReply, body: Mapping[str, Any]) -> list[CheckResult]:
    """GitHub sends the expiry date in a header, GitLab in the body."""
    text = reply.headers.get("github-authentication-token-expiration") or str(body.get("expires_at") or "")
    match = re.match(r"\d{4}-\d\d-\d\d", text)
    if not match:
        return []
    day = datetime.fromisoformat(match[0]).replace(tzinfo=UTC)
    if day - datetime.now(UTC) > EXPIRES_SOON:
        return []
    return [note(about, f"the token expires on {match[0]}", "make the next one now")]


def _check_directory(about: str, path: Path) -> CheckResult:
    if path.is_dir() and os.access(path, os.W_OK | os.X_OK):
        return ok(about, f"{path} can be written to")
    return fault(about, f"{path} is no folder that can be written to", "make it, for the service's user")


def _scopes(header: str) -> set[str]:
    return {sanitize(scope) for scope in map(str.strip, header.split(",")) if scope}


def _joined(scopes: set[str]) -> str:
    return ", ".join(sorted(scopes)) or "no scope"
