"""Responses of a host's REST API: the JSON, the text of an error, and the error class for a status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gencode.githosts.errors import HostError
from gencode.githosts.http_client import HttpReply
from gencode.githosts.profile import HostProfile
from gencode.resilience.retry_after import retry_after
from gencode.security.redaction import quoted

SECONDARY_SECONDS = 60.0  # GitHub: "wait for at least one minute", when no header says how long
_RATE_LIMIT_PREFIXES = ("x-ratelimit", "ratelimit")  # GitHub, Gitee, Bitbucket; GitLab, and the IETF's draft
_EPOCH = 10**9  # a reset below it can only be a number of seconds to wait
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
        return self.status < 300


def json_object(reply: HttpReply) -> dict[str, Any] | None:
    """The JSON object of the body; None if the body is anything else."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def error_text(body: Mapping[str, Any]) -> str:
    """The text of an error's body. Each host puts it elsewhere, and any of the fields may hold lists, or
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
    reply: HttpReply, profile: HostProfile, hint: str, secrets: tuple[str, ...], now: float
) -> HostError:
    """The error for a status that the caller did not expect.

    hint  what the token probably lacks
    now   seconds since the epoch
    """
    name, errors = profile.name, profile.errors
    text = error_text(json_object(reply) or {})
    quote = quoted(text, secrets)
    wait = _rate_limit_wait(reply, text, now)
    if wait is not None:
        return errors.rate_limit(
            f"{name} asks to wait {wait:.0f} s before more requests{quote}", retry_after=wait
        )
    match reply.status:
        case 401:
            return errors.auth(
                f"{name} refused the token: see that {profile.token_setting} is right and not expired{quote}"
            )
        case 403:
            return errors.forbidden(f"the token may not do this; {hint}{quote}")
        case status if status >= 500:
            wait = retry_after(reply.headers.get("retry-after", ""), now)
            return errors.unavailable(f"{name} answered {status}; try again later{quote}", retry_after=wait)
        case status if status < 400:
            return errors.protocol(
                f"{name} answered {status}, which leads elsewhere; check {profile.address_setting}"
            )
    return errors.invalid(f"{name} answered {reply.status}{quote}")


def _rate_limit_wait(reply: HttpReply, text: str, now: float) -> float | None:
    """Seconds to wait if a rate limit was exceeded: by 403 or by 429, with or without headers."""
    if reply.status not in (403, 429):
        return None
    if "retry-after" in reply.headers:
        asked = retry_after(reply.headers["retry-after"], now)
        return SECONDARY_SECONDS if asked is None else asked
    for prefix in _RATE_LIMIT_PREFIXES:
        if reply.headers.get(f"{prefix}-remaining") == "0":
            return _seconds_until(reply.headers.get(f"{prefix}-reset", ""), prefix, now)
    return SECONDARY_SECONDS if reply.status == 429 or "rate limit" in text.lower() else None


def _seconds_until(reset: str, prefix: str, now: float) -> float:
    if not re.fullmatch(r"[0-9]{1,12}", reset):
        return SECONDARY_SECONDS
    if prefix == "ratelimit" and int(reset) < _EPOCH:
        return float(reset)
    # One second more: the reset is given in whole seconds.
    return max(0.0, float(reset) - now) + 1
