"""The Git hosts: whether each takes its token, and what the token may do as far as the host tells."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gencode.doctor.finding import Finding, fault, note, ok
from gencode.domain.errors import StartError
from gencode.githosts.adapter import credentials
from gencode.githosts.http_client import HttpReply, exchange
from gencode.githosts.responses import body_of, said
from gencode.githosts.types import GITHUB, whoami
from gencode.security.redaction import quoted, spoken
from gencode.settings import NamedHost, Settings

SECONDS = 15.0
SOON = timedelta(days=7)


def configured(settings: Settings) -> dict[str, NamedHost]:
    """All of them, GITHUB_TOKEN's among them, by name."""
    found = dict(settings.hosts)
    if settings.github_token:
        url, owner = settings.github_api_url, settings.github_owner
        found = {GITHUB: NamedHost(kind=GITHUB, url=url, token=settings.github_token, owner=owner), **found}
    return found


async def host(name: str, entry: NamedHost, client: httpx.AsyncClient, *, workflows: bool) -> list[Finding]:
    """One request that changes nothing."""
    about, token = f"host {name}", entry.token.get_secret_value()
    secrets: tuple[str, ...] = (token,)
    if entry.path:
        return [_directory(about, entry.path)]
    try:
        address, headers = whoami(entry.kind, name, entry.url, entry.user, token)
        secrets = credentials(token, headers)
        reply = await exchange(client, client.build_request("GET", address, headers=headers), SECONDS)
    except StartError as error:
        return [fault(about, error.message, "correct the setting")]
    except httpx.HTTPError as error:
        words = quoted(str(error) or type(error).__name__, secrets)
        return [
            fault(about, f"cannot be reached{words}", "see the address, the network and the certificates")
        ]
    return _judged(about, entry, reply, secrets, workflows)


def _judged(
    about: str, entry: NamedHost, reply: HttpReply, secrets: tuple[str, ...], workflows: bool
) -> list[Finding]:
    body: Mapping[str, Any] = body_of(reply) or {}
    words = quoted(said(body), secrets)
    if reply.status == 401:
        return [
            fault(about, f"the token is refused{words}", "make a new one; it is wrong, expired or revoked")
        ]
    if reply.status == 404 or reply.status < 200 or 300 <= reply.status < 400:
        return [
            fault(about, f"it answers {reply.status}: no API of {entry.kind} is there", "correct the address")
        ]
    if reply.status != 200 or not body:
        return [
            note(about, f"it answers {reply.status}{words}", "look again later; the token may be limited")
        ]
    login = spoken(str(body.get("login") or body.get("username") or body.get("name") or "its owner"), secrets)
    found = [
        ok(about, f"the token of {login} is accepted"),
        _allowed(about, entry.kind, reply, body, workflows),
    ]
    return [*found, *_expiry(about, reply, body)]


def _allowed(about: str, kind: str, reply: HttpReply, body: Mapping[str, Any], workflows: bool) -> Finding:
    if kind == GITHUB and "x-oauth-scopes" in reply.headers:
        return _github_scopes(about, _scopes(reply.headers["x-oauth-scopes"]), workflows)
    if kind == GITHUB:
        message = "GitHub does not tell what a fine-grained token may do"
        advice = "see that it has Administration and Contents, read and write, for the owner's repositories"
        return note(about, message, advice + (", and Workflows" if workflows else ""))
    if kind == "gitlab" and isinstance(body.get("scopes"), list):
        scopes = {str(scope) for scope in body["scopes"]}
        if "api" not in scopes:
            return fault(about, f"the token has {_listed(scopes)}, not the scope api", "make one with it")
        return ok(about, "the token has the scope api")
    return note(
        about, "this host does not tell what the token may do", "it must create repositories and push"
    )


def _github_scopes(about: str, scopes: set[str], workflows: bool) -> Finding:
    has = f"the token has {_listed(scopes)}"
    if not scopes & {"repo", "public_repo"}:
        return fault(about, f"{has}: it may create no repository", "make a token with the scope repo")
    if "repo" not in scopes:
        return note(about, f"{has}: public repositories only", "add repo, or ask with --public each time")
    if workflows and "workflow" not in scopes:
        return fault(
            about, f"{has}; ALLOW_WORKFLOWS needs workflow", "add that scope, or unset ALLOW_WORKFLOWS"
        )
    return ok(about, has)


def _expiry(about: str, reply: HttpReply, body: Mapping[str, Any]) -> list[Finding]:
    """GitHub says it in a header, GitLab in the body."""
    text = reply.headers.get("github-authentication-token-expiration") or str(body.get("expires_at") or "")
    found = re.match(r"\d{4}-\d\d-\d\d", text)
    if not found:
        return []
    day = datetime.fromisoformat(found[0]).replace(tzinfo=UTC)
    if day - datetime.now(UTC) > SOON:
        return []
    return [note(about, f"the token expires on {found[0]}", "make the next one now")]


def _directory(about: str, path: Path) -> Finding:
    if path.is_dir() and os.access(path, os.W_OK | os.X_OK):
        return ok(about, f"{path} can be written to")
    return fault(about, f"{path} is no folder that can be written to", "make it, for the service's user")


def _scopes(header: str) -> set[str]:
    return {spoken(scope) for scope in map(str.strip, header.split(",")) if scope}


def _listed(scopes: set[str]) -> str:
    return ", ".join(sorted(scopes)) or "no scope"
