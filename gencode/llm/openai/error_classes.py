"""What an error of a model API means: from its status, codes and words to a class of ProviderError."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gencode.llm.errors import (
    LLMAuth,
    LLMBadRequest,
    LLMBalance,
    LLMQuota,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMUnavailable,
    ProviderError,
)

_REFUSED = re.compile(
    r"content_?(?:filter|policy|risk)|data_?inspection_?failed|sensitive_?content"
    r"|^(?:refusal|safety|1301|10013|10014|1026|1027)$",
    re.IGNORECASE,
)
_REFUSED_WORDS = re.compile(
    r"data_?inspection_?failed|inappropriate content|sensitive (?:information|content)|content exists risk"
    r"|敏感内容|违规内容",
    re.IGNORECASE,
)
_BALANCE = re.compile(r"insufficient_?balance|overdue|arrear|^(?:creditserror|1113|1008)$", re.IGNORECASE)
_BALANCE_WORDS = re.compile(
    r"insufficient (?:account )?balance|overdue balance|account is in good standing|余额不足|欠费",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_(?:user_)?quota|current_quota|quota_?exhausted|quota_?exceeded|allocation_?quota"
    r"|credit|billing|spend|^(?:1304|1308|11201)$",
    re.IGNORECASE,
)
_QUOTA_WORDS = re.compile(
    r"exceeded your (?:current|monthly|daily)? ?quota|insufficient (?:quota|balance|credits?|funds)"
    r"|budget has been exceeded|quota (?:is |has been )?(?:exhausted|used up)|out of credits"
    r"|credit balance is too low"
    r"|spend(?:ing)? limit|billing hard limit|额度(?:已)?(?:用尽|不足|耗尽)",
    re.IGNORECASE,
)
"""In the message of a 429. A limit per minute may use these words, too, but says when to try again."""
_CAP_WORDS = re.compile(
    r"per[ _-]day|\bdaily\b|\b[tr]pd\b|per[ _-](?:week|month)|小时的使用上限|每日|每天|每周", re.IGNORECASE
)
"""Of a limit that no task can wait for."""
_PER_MINUTE = re.compile(r"per[ _-]?(?:second|minute)|\b[rt]pm\b|\bqps\b", re.IGNORECASE)
_RATE_LIMIT = re.compile(
    r"throttling|rate_?limit|too_?many_?requests|^(?:1302|1303|1305|11202|11203|1002|1039)$", re.IGNORECASE
)
_AUTH = re.compile(
    r"invalid_?api_?key|authentication|unauthorized|permission_error|^(?:11200|1004|2049)$", re.IGNORECASE
)
_BAD_REQUEST = re.compile(
    r"invalid_?request|invalid_?parameter|bad_?request|context_length|model_?not_?found|not_found_error"
    r"|request_too_large|^(?:10003|10004|10907|2013)$",
    re.IGNORECASE,
)
_STATUSES = (
    (_REFUSED, 400),
    (_BALANCE, 402),
    (_QUOTA, 429),
    (_RATE_LIMIT, 429),
    (_AUTH, 401),
    (_BAD_REQUEST, 400),
    (re.compile(r"^timeout$", re.IGNORECASE), 408),
)
"""From the codes and types of error objects without a status, those of Chinese providers among them, to the
status that an equivalent response has."""
_WAIT = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?)(?: your request)? (?:in|after) "
    r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m(?=[0-9]))?([0-9.]{1,20}) ?(ms|seconds?|s|minutes?|min|m)\b",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?")
_UNITS = {"ms": 0.001, "s": 1.0, "se": 1.0, "m": 60.0, "mi": 60.0}
_MAX_WORDS = 4000  # characters of a message that are searched


def error_class(status: int, error: Mapping[str, Any]) -> type[ProviderError]:
    """Of an error object with this HTTP status, or with the equivalent of one."""
    codes, text = codes_of(error), str(error.get("message"))[:_MAX_WORDS]
    if status < 500 and (_any(_REFUSED, codes) or (status == 400 and _REFUSED_WORDS.search(text))):
        return LLMRefused
    if status == 402 or _any(_BALANCE, codes) or _BALANCE_WORDS.search(text):
        return LLMBalance
    if status in (401, 403, 429) and _any(_QUOTA, codes):
        return LLMQuota
    if status == 429:
        return LLMQuota if _is_exhausted(text) and wait_in(error) is None else LLMRateLimit
    if status in (401, 403):
        return LLMAuth
    if status == 408:
        return LLMTimeout
    return LLMUnavailable if status >= 500 else LLMBadRequest


def equivalent_status(error: Mapping[str, Any]) -> int:
    """The HTTP status that an error object states or implies; an unknown error counts as a server error."""
    for key in ("status", "status_code", "code", "http_code"):
        if found := re.fullmatch(r"([45]\d\d)(?:\d\d)?", str(error.get(key)), re.ASCII):
            return int(found[1])
    codes = codes_of(error)
    return next((status for pattern, status in _STATUSES if _any(pattern, codes)), 500)


def codes_of(error: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(error.get(name)).lower() for name in ("code", "type", "status_code"))


def wait_in(error: Mapping[str, Any]) -> float | None:
    """Seconds that an error object asks to wait: "Please try again in 20s", or Gemini's `retryDelay`."""
    details = error.get("details")
    delays = (
        [item.get("retryDelay") for item in details if isinstance(item, dict)]
        if isinstance(details, list)
        else []
    )
    told = [f"retry in {delay}" for delay in delays if isinstance(delay, str)]
    for text in (*told, str(error.get("message"))[:_MAX_WORDS]):
        if (found := _WAIT.search(text)) and _SECONDS.fullmatch(found[3]):
            longer = float(found[1] or 0) * 3600 + float(found[2] or 0) * 60
            return longer + float(found[3]) * _UNITS[found[4][:2].lower()]
    return None


def _is_exhausted(text: str) -> bool:
    return bool(_CAP_WORDS.search(text) or (_QUOTA_WORDS.search(text) and not _PER_MINUTE.search(text)))


def _any(pattern: re.Pattern[str], codes: Sequence[str]) -> bool:
    return any(pattern.search(code) for code in codes)
