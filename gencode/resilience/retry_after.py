"""Parses Retry-After and the rate limit headers of a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")  # RFC 9110 has no fractions; some servers send them
_NUMBER = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,9})?")
_RETRY_AFTER = ("retry-after", "llm_provider-retry-after", "x-ratelimit-reset-after")
_RESET = re.compile(r"(?:llm_provider-)?x-ratelimit-reset(?:-requests|-tokens|-[a-z]+)?\Z")
_DURATION = re.compile(
    r"(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m(?!s))?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?"
    r"(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?"
)
_DAY = 86_400.0


def parse_retry_after(value: str, now: float) -> float | None:
    """The seconds that a value of Retry-After asks to wait (RFC 9110, 10.2.3: digits or a date); None if it
    is invalid.

    now   seconds since the epoch
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now)


def wait_from_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait before the next request; None if no header requests a wait.

    Retry-After and its variants take precedence. Of the `x-ratelimit-reset*` headers, those count whose
    `x-ratelimit-remaining*` is 0 or missing, and the longest wait is returned. Their values are seconds,
    durations such as "1m30s", or times in seconds or milliseconds since the epoch.
    """
    delays = [parse_retry_after(headers.get(name, ""), now) for name in _RETRY_AFTER]
    delays.append(_number(headers.get("retry-after-ms"), 0.001))
    if any(delays):
        return max(seconds for seconds in delays if seconds)
    waits = [
        _reset(value, now) for name, value in headers.items() if _is_exhausted_limit(name.lower(), headers)
    ]
    return max((seconds for seconds in waits if seconds), default=None)


def _is_exhausted_limit(name: str, headers: Mapping[str, str]) -> bool:
    """Whether the header `name` is the reset time of a limit of which nothing remains."""
    if not _RESET.match(name):
        return False
    remaining = headers.get(name.replace("-reset", "-remaining"))
    return remaining is None or remaining.strip() in ("0", "0.0")


def _reset(value: str, now: float) -> float | None:
    value = value.strip()
    if parts := _DURATION.fullmatch(value):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in parts.groups())
        return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    number = _number(value)
    if number is None:
        return parse_retry_after(value, now)
    for factor in (1.0, 0.001):
        if abs(number * factor - now) < _DAY:
            return max(0.0, number * factor - now)
    return number if number < _DAY else None


def _number(value: str | None, factor: float = 1.0) -> float | None:
    return float(value) * factor if value and _NUMBER.fullmatch(value.strip()) else None
