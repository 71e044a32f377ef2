"""Parses the Retry-After header."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")  # RFC 9110 has no fractions; some servers send them


def retry_after(value: str, now: float) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3: digits or a date), None for anything else.

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
