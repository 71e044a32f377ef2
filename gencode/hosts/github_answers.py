"""What GitHub's answers mean (its docs: "Rate limits for the REST API", "Troubleshooting the REST API")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gencode.errors import (
    GitHubAuth,
    GitHubForbidden,
    GitHubInvalid,
    GitHubProtocol,
    GitHubRateLimit,
    GitHubUnavailable,
    HostError,
)
from gencode.hosts.wire import Reply
from gencode.redaction import quoted, spoken
from gencode.retry_after import retry_after

SECONDARY_SECONDS = 60.0  # "wait for at least one minute", when no header says how long


def body_of(reply: Reply) -> dict[str, Any] | None:
    """The JSON object, None if it is anything else."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def said(body: Mapping[str, Any]) -> str:
    """`message`, and that of each of `errors`."""
    lines = [body.get("message"), *(error.get("message") for error in _errors(body))]
    return "; ".join(line for line in lines if isinstance(line, str))


def name_taken(body: Mapping[str, Any]) -> bool:
    """Other things are refused with 422 as well: only `errors` tell them apart."""
    return any(
        error.get("field") == "name" and "already exists" in str(error.get("message"))
        for error in _errors(body)
    )


def _errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = body.get("errors")
    if not isinstance(errors, list):
        return []
    return [error if isinstance(error, dict) else {"message": str(error)} for error in errors]


def failure(reply: Reply, secrets: tuple[str, ...], now: float) -> HostError:
    """The error of a status that no caller expects. `now`: seconds since the epoch."""
    body = body_of(reply) or {}
    words = quoted(said(body), secrets)
    wait = _limited(reply, said(body), now)
    if wait is not None:
        return GitHubRateLimit(
            f"GitHub asks to wait {wait:.0f} s before more requests{words}", retry_after=wait
        )
    match reply.status:
        case 401:
            return GitHubAuth(
                f"GitHub refused the token: see that GITHUB_TOKEN is right and not expired{words}"
            )
        case 403:
            return GitHubForbidden(f"the token may not do this; {permission_hint(reply)}{words}")
        case status if status >= 500:
            wait = retry_after(reply.headers.get("retry-after", ""), now)
            return GitHubUnavailable(f"GitHub answered {status}; try again later{words}", retry_after=wait)
        case status if status < 400:
            return GitHubProtocol(f"GitHub answered {status}, which leads elsewhere; check GITHUB_API_URL")
    return GitHubInvalid(f"GitHub answered {reply.status}{words}")


def _limited(reply: Reply, words: str, now: float) -> float | None:
    """Seconds to wait when a rate limit speaks: with 403 or with 429, with headers or without."""
    if reply.status not in (403, 429):
        return None
    if "retry-after" in reply.headers:
        asked = retry_after(reply.headers["retry-after"], now)
        return SECONDARY_SECONDS if asked is None else asked
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        # One second more: the reset is given in whole seconds.
        return max(0.0, float(reset) - now) + 1 if re.fullmatch(r"[0-9]{1,12}", reset) else SECONDARY_SECONDS
    return SECONDARY_SECONDS if reply.status == 429 or "rate limit" in words.lower() else None


def permission_hint(reply: Reply) -> str:
    """What the headers say the token lacks."""
    headers = reply.headers
    if sso := headers.get("x-github-sso"):
        # Its address carries a request token after the "?".
        where = re.search(r"url=([^?;\s]+)", sso)
        at = f" at {spoken(where[1])}" if where else ""
        return f"the organisation wants it authorised for single sign-on (SSO){at}"
    if needed := headers.get("x-accepted-github-permissions"):
        return f"it needs the permission {spoken(needed)}"
    if "x-oauth-scopes" in headers:
        has = spoken(headers["x-oauth-scopes"]) or "none"
        accepted = spoken(headers.get("x-accepted-oauth-scopes", "")) or "repo"
        return f"it needs one of the scopes {accepted}, has {has}"
    return "it needs to create repositories: scope repo, or permission administration=write"
