"""What is GitHub's own in its answers (its docs: "Troubleshooting the REST API")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gencode.githosts.http_client import HttpReply
from gencode.security.redaction import spoken


def name_taken(body: Mapping[str, Any]) -> bool:
    """Other things are refused with 422 as well: only `errors` tell them apart."""
    errors = body.get("errors")
    return isinstance(errors, list) and any(
        isinstance(error, dict)
        and error.get("field") == "name"
        and "already exists" in str(error.get("message"))
        for error in errors
    )


def permission_hint(reply: HttpReply) -> str:
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
