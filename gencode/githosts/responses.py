"""What the answers of a host's API mean, whoever the host is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from gencode.githosts.errors import HostError
from gencode.githosts.http_client import HttpReply
from gencode.githosts.profile import HostProfile
from gencode.resilience.retry_after import retry_after
from gencode.security.redaction import quoted

SECONDARY_SECONDS = 60.0  # GitHub: "wait for at least one minute", when no header says how long
_LIMITED_BY = ("x-ratelimit", "ratelimit")  # GitHub, Gitee, Bitbucket; GitLab, and the IETF's draft
_EPOCH = 10**9  # a reset below it can only be a number of seconds to wait
_SPOKEN = ("message", "error_description", "error", "errors")
_LINES, _FIELD, _LINE = 100, 100, 4000
"""Of an error's body, lines and characters: a name that stands before each of a million lines would make
terabytes of an answer of 4 MiB."""


def body_of(reply: HttpReply) -> dict[str, Any] | None:
    """The JSON object, None if it is anything else."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def said(body: Mapping[str, Any]) -> str:
    """What an error's body says: every host has another place for it, and each may hold lists by field."""
    lines = (line for key in _SPOKEN for line in _lines(body.get(key)))
    return "; ".join(dict.fromkeys(islice(lines, _LINES)))


def _lines(value: Any, depth: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        yield value[:_LINE]
    elif depth and isinstance(value, list):
        for entry in value:
            yield from _lines(entry, depth - 1)
    elif depth and isinstance(value, dict):
        if "message" in value:
            yield from _lines(value["message"], depth - 1)
        else:
            for field, entry in value.items():
                # Rails calls what concerns no single field "base".
                about = "" if field == "base" else f"{field[:_FIELD]} "
                yield from (f"{about}{line}" for line in _lines(entry, depth - 1))


def failure(
    reply: HttpReply, profile: HostProfile, hint: str, secrets: tuple[str, ...], now: float
) -> HostError:
    """The error of a status that no caller expects.

    hint  what the token probably lacks
    now   seconds since the epoch
    """
    name, errors = profile.name, profile.failures
    spoken = said(body_of(reply) or {})
    words = quoted(spoken, secrets)
    wait = _limited(reply, spoken, now)
    if wait is not None:
        return errors.rate_limit(
            f"{name} asks to wait {wait:.0f} s before more requests{words}", retry_after=wait
        )
    match reply.status:
        case 401:
            return errors.auth(
                f"{name} refused the token: see that {profile.token} is right and not expired{words}"
            )
        case 403:
            return errors.forbidden(f"the token may not do this; {hint}{words}")
        case status if status >= 500:
            wait = retry_after(reply.headers.get("retry-after", ""), now)
            return errors.unavailable(f"{name} answered {status}; try again later{words}", retry_after=wait)
        case status if status < 400:
            return errors.protocol(
                f"{name} answered {status}, which leads elsewhere; check {profile.address}"
            )
    return errors.invalid(f"{name} answered {reply.status}{words}")


def _limited(reply: HttpReply, words: str, now: float) -> float | None:
    """Seconds to wait when a rate limit speaks: with 403 or with 429, with headers or without."""
    if reply.status not in (403, 429):
        return None
    if "retry-after" in reply.headers:
        asked = retry_after(reply.headers["retry-after"], now)
        return SECONDARY_SECONDS if asked is None else asked
    for prefix in _LIMITED_BY:
        if reply.headers.get(f"{prefix}-remaining") == "0":
            return _until(reply.headers.get(f"{prefix}-reset", ""), prefix, now)
    return SECONDARY_SECONDS if reply.status == 429 or "rate limit" in words.lower() else None


def _until(reset: str, prefix: str, now: float) -> float:
    if not re.fullmatch(r"[0-9]{1,12}", reset):
        return SECONDARY_SECONDS
    if prefix == "ratelimit" and int(reset) < _EPOCH:
        return float(reset)
    # One second more: the reset is given in whole seconds.
    return max(0.0, float(reset) - now) + 1
