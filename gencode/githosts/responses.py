"""Responses of a host's REST API: the JSON, the text of an error, and the error class for a status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gencode.githosts.errors import HostError, HostRateLimit
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.http_client import HttpReply
from gencode.githosts.refusal_texts import account_advice, reports_rate_limit
from gencode.resilience.retry_after import parse_retry_after
from gencode.security.redaction import quoted

LIMIT_STATUSES = frozenset({400, 403, 422, 429})
"""Statuses with which hosts report a rate limit; the text or a header distinguishes it from other
refusals."""
SECONDARY_SECONDS = 60.0  # GitHub: "wait for at least one minute", when no header says how long
_RATE_LIMIT_PREFIXES = ("x-ratelimit", "ratelimit")  # GitHub, Gitee, Bitbucket; GitLab, and the IETF's draft
_EPOCH = 10**9  # a reset below it can only be a number of seconds to wait
_RATE_LIMIT_PAGE = re.compile(r"[#/](?:about-)?(?:abuse-|primary-|secondary-)?rate-limit(?:s|ing)?\Z")
_TEXT_FIELDS = ("message", "error_description", "error", "errors")
_MAX_LINES, _MAX_FIELD, _MAX_LINE = 100, 100, 4000
"""Bounds on the text of an error, in lines and characters: a field name that is repeated before each of a
million lines would turn a response of 4 MiB into terabytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiResponse:
    """An expected status with its JSON object, which may be empty for an error."""

    status: int
    body: Mapping[str, Any]
    reply: HttpReply

    @property
    def is_success(self) -> bool:
        """Gitee has answered refusals with 200: a repository has a full name, an error has a text."""
        is_refusal = "full_name" not in self.body and "path_with_namespace" not in self.body
        return self.status < 300 and not (is_refusal and error_text(self.body))


def json_object(reply: HttpReply) -> dict[str, Any] | None:
    """The JSON object of the body; None if the body is anything else."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refusal_body(reply: HttpReply) -> dict[str, Any]:
    """The JSON object of the body, or its plain text as `message`; otherwise {}."""
    body = json_object(reply)
    if body is None and reply.headers.get("content-type", "").startswith("text/plain"):
        return {"message": reply.content[:_MAX_LINE].decode("utf-8", "replace")}
    return body or {}


def error_text(body: Mapping[str, Any]) -> str:
    """The text of an error's body. Hosts use different fields for it, and any of them may contain lists, or
    lists by the name of a field."""
    lines = (line for key in _TEXT_FIELDS for line in _lines(body.get(key)))
    return "; ".join(dict.fromkeys(islice(lines, _MAX_LINES)))


def _lines(value: Any, depth: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        yield value[:_MAX_LINE]
    elif depth and isinstance(value, list):
        for entry in value:
            yield from _lines(entry, depth - 1)
    elif depth and isinstance(value, dict):
        if "message" in value:
            yield from _lines(value["message"], depth - 1)
        else:
            for field, entry in value.items():
                # Rails uses "base" for errors that concern no single field.
                prefix = "" if field == "base" else f"{field[:_MAX_FIELD]} "
                yield from (f"{prefix}{line}" for line in _lines(entry, depth - 1))


def status_error(
    reply: HttpReply, identity: HostIdentity, hint: str, secrets: tuple[str, ...], now: float
) -> HostError:
    """The error for a status that the caller did not expect.

    hint  what the token probably lacks
    now   seconds since the epoch
    """
    if limit := rate_limit_error(reply, identity, secrets, now):
        return limit
    name, errors = identity.name, identity.errors
    text = error_text(refusal_body(reply))
    quote = quoted(text, secrets)
    # GitHub's header about single sign-on has a URL, which the text has not.
    advice = None if "x-github-sso" in reply.headers else account_advice(text)
    match reply.status:
        case 401:
            return errors.auth(
                f"{name} refused the token: see that {identity.token_setting} is right and not expired{quote}"
            )
        case status if status >= 400 and advice:  # also 500: Gitea's answer to too many repositories
            return errors.forbidden(f"{advice}{quote}")
        case 403:
            return errors.forbidden(f"the token may not do this; {hint}{quote}")
        case status if status >= 500:
            wait = parse_retry_after(reply.headers.get("retry-after", ""), now)
            return errors.unavailable(f"{name} answered {status}; try again later{quote}", retry_after=wait)
        case status if status < 400:
            return errors.protocol(
                f"{name} answered {status}, which leads elsewhere; check {identity.url_setting}"
            )
    return errors.invalid(f"{name} answered {reply.status}{quote}")


def rate_limit_error(
    reply: HttpReply, identity: HostIdentity, secrets: tuple[str, ...], now: float
) -> HostRateLimit | None:
    """The error for a response that reports a rate limit; None for any other one."""
    if reply.status not in LIMIT_STATUSES:
        return None
    text = error_text(refusal_body(reply))
    wait = _rate_limit_wait(reply, text, now)
    if wait is None:
        return None
    return identity.errors.rate_limit(
        f"{identity.name} asks to wait {wait:.0f} s before more requests{quoted(text, secrets)}",
        retry_after=wait,
    )


def _rate_limit_wait(reply: HttpReply, text: str, now: float) -> float | None:
    """Seconds to wait if a rate limit was exceeded, with or without headers."""
    if reply.status in (403, 429):
        if "retry-after" in reply.headers:
            asked = parse_retry_after(reply.headers["retry-after"], now)
            return SECONDARY_SECONDS if asked is None else asked
        for prefix in _RATE_LIMIT_PREFIXES:
            if reply.headers.get(f"{prefix}-remaining") == "0":
                return _seconds_until(reply.headers.get(f"{prefix}-reset", ""), prefix, now)
    is_limit = reply.status == 429 or reports_rate_limit(text) or _documents_rate_limit(reply)
    return SECONDARY_SECONDS if is_limit else None


def _documents_rate_limit(reply: HttpReply) -> bool:
    """Whether GitHub's link for the error is that of rate limits; the words of its message have changed."""
    url = refusal_body(reply).get("documentation_url")
    return isinstance(url, str) and bool(_RATE_LIMIT_PAGE.search(url[-_MAX_FIELD:]))


def _seconds_until(reset: str, prefix: str, now: float) -> float:
    if not re.fullmatch(r"[0-9]{1,12}", reset):
        return SECONDARY_SECONDS
    if prefix == "ratelimit" and int(reset) < _EPOCH:
        return float(reset)
    # One second more: the reset is given in whole seconds.
    return max(0.0, float(reset) - now) + 1
