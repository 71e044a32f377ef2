"""Reads the retry delay from the body of an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_WAIT = re.compile(
    r"(?:(?:try(?:ing)? again|retry(?:ing)?)(?: your request)? (?:in|after)|resets? in|wait(?: for)?) "
    r"(?:([0-9]{1,9}) ?h(?:ours?)?,? ?(?:and )?)?(?:([0-9]{1,9}) ?m(?:in(?:ute)?s?)?,? ?(?:and )?(?=[0-9]))?"
    r"([0-9.]{1,20}) ?(ms|seconds?|s|minutes?|min|m)\b",
    re.IGNORECASE,
)
_CHINESE_WAIT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(毫秒|秒|分钟|小时)(?:之)?后[^0-9]{0,4}[试求]")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?")
_UNITS = {"ms": 0.001, "s": 1.0, "se": 1.0, "m": 60.0, "mi": 60.0}
_CHINESE_UNITS = {"毫秒": 0.001, "秒": 1.0, "分钟": 60.0, "小时": 3600.0}
_FIELDS = {
    "retry_after": 1.0,
    "retryafter": 1.0,
    "retry_after_seconds": 1.0,
    "retry_after_ms": 0.001,
}
"""Names in lower case, and what their numbers are multiplied by to give seconds."""
_MAX_WORDS = 4000  # characters of a message that are searched


def wait_in(error: Mapping[str, Any]) -> float | None:
    """The retry delay of an error object in seconds: "Please try again in 20s", Gemini's `retryDelay`, or a
    field such as `retry_after`."""
    return next(_waits(error), None)


def _waits(error: Mapping[str, Any]) -> Iterator[float]:
    metadata = error.get("metadata")
    for fields in (error, metadata if isinstance(metadata, dict) else {}):
        for name, value in fields.items():
            factor = _FIELDS.get(str(name).lower())
            if factor and _SECONDS.fullmatch(str(value)) and float(str(value)):
                yield float(str(value)) * factor
    for text in (*_delays(error.get("details")), str(error.get("message"))[:_MAX_WORDS]):
        yield from _told(text)


def _delays(details: object) -> Iterator[str]:
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and isinstance(delay := item.get("retryDelay"), str):
            yield f"retry in {delay}"


def _told(text: str) -> Iterator[float]:
    if (found := _WAIT.search(text)) and _SECONDS.fullmatch(found[3]):
        longer = float(found[1] or 0) * 3600 + float(found[2] or 0) * 60
        yield longer + float(found[3]) * _UNITS[found[4][:2].lower()]
    if found := _CHINESE_WAIT.search(text):
        yield float(found[1]) * _CHINESE_UNITS[found[2]]
