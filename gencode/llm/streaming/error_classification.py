"""Classifies an error of a model API: from its status, codes and message to a class of ProviderError."""

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
from gencode.llm.streaming.retry_delay_in_body import wait_in

_REFUSED = re.compile(
    r"content_?(?:filter|policy|risk|moderation|security)|data_?inspection_?failed|sensitive_?(?:content|words)"
    r"|moderation_blocked|policy_?violation|prohibited_content"
    r"|^(?:refusal|safety|invalid_prompt|malicious_content|1301|10013|10014|10019|1026|1027|336104)$",
    re.IGNORECASE,
)
_REFUSED_WORDS = re.compile(
    r"data_?inspection_?failed|inappropriate content|sensitive (?:information|content|words)"
    r"|content exists risk|content filter(?:ing)?\b|violat\w+ (?:\w+ ){0,3}(?:usage )?(?:polic|guideline)"
    r"|(?:input|prompt|content) was flagged|敏感内容|违规内容|违反\S{0,6}(?:规定|规范|政策)"
    r"|considered high risk|content management policy|prohibited_?content"
    r"|(?:prompt|input|content) was blocked|(?:by|of) our safety system|safety (?:filter|policy)"
    r"|(?:安全|内容)风险|审核(?:未|不)通过|不安全(?:的)?内容",
    re.IGNORECASE,
)
_BALANCE = re.compile(r"insufficient_?balance|overdue|arrear|^(?:creditserror|1113|1008)$", re.IGNORECASE)
_BALANCE_WORDS = re.compile(
    r"insufficient (?:account )?balance|balance is (?:insufficient|too low)|overdue balance"
    r"|account is in good standing|余额不足|欠费",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_(?:user_)?quota|current_quota|quota_?exhausted|quota_?exceeded|allocation_?quota"
    r"|credit|billing|spend|pa?c?k(?:age|g)?_?exhausted|charge_?resource_?exhausted|^(?:1304|1308|1309|1310|11201)$",
    re.IGNORECASE,
)
_QUOTA_WORDS = re.compile(
    r"exceeded your (?:current|monthly|daily)? ?quota"
    r"|insufficient[ _](?:user[ _])?(?:quota|balance|credits?|funds)|quota is not enough|key limit exceeded"
    r"|usage limit (?:reached|exceeded)|reached your (?:\w+ )?usage limit"
    r"|set inference limit|free tier of the model has been exhausted|(?:don't|do not) have any credits"
    r"|budget has been exceeded|quota (?:is |has been )?(?:exhausted|used up)|out of credits"
    r"|credit balance is too low"
    r"|spend(?:ing)? limit|billing hard limit|额度(?:已)?(?:用尽|用完|不足|耗尽|失败)"
    r"|resource pack\w* (?:\w+ )?has been exhausted|资源包\S{0,4}(?:用尽|用完|不足|耗尽)"
    r"|套餐\S{0,4}(?:到期|过期|用完)",
    re.IGNORECASE,
)
"""Words of messages about an exhausted quota. A message about a limit per minute may have them too, but says
when to try again."""
_WINDOW_WORDS = re.compile(
    r"context (?:length|window|size)|when context the overflows|maximum context|prompt (?:is )?too long"
    r"|(?:input|request|prompt|输入|上下文|提示词?) ?(?:长度)?\S{0,4}(?:超长|超过|超出|过长)",
    re.IGNORECASE,
)
"""Words of messages about a prompt that exceeds the context window. A retry cannot succeed, even after a
500."""
_MODEL_WORDS = re.compile(
    r"\bmodel\b[^.]{0,80}(?:does not exist|not found)|模型\S{0,6}(?:不存在|已下线)", re.IGNORECASE
)
_KEY_WORDS = re.compile(
    r"(?:invalid|incorrect|expired|wrong) (?:api|access)[ _-]?(?:key|token)"
    r"|(?:api|access)[ _-]?(?:key|token)(?: provided)? (?:is |has )?(?:not (?:valid|found)|invalid|expired)"
    r"|(?:令牌|密钥)\S{0,4}(?:无效|过期|错误|不存在)|无效的?(?:令牌|密钥|api ?key)",
    re.IGNORECASE,
)
"""Words of messages about a key. Gateways and Gemini use other statuses than 401."""
_LIMIT_WORDS = re.compile(r"rate limit|too many requests|request limit reached|请求过于频繁", re.IGNORECASE)
_BUSY_WORDS = re.compile(
    r"overloaded|too busy|\bbusy\b.{0,20}\btry again|capacity exceeded|concurrency limit|model has crashed",
    re.IGNORECASE,
)
_CAP_WORDS = re.compile(
    r"per[ _-](?:day|week|month)|\b(?:daily|weekly|monthly) |\b[tr]pd\b|hour allocated quota|billing cycle"
    r"|小时的使用上限|每[日天周月]|[今当]日|本[周月]",
    re.IGNORECASE,
)
"""Words of messages about a limit that is too long for a task to wait for."""
_PER_MINUTE = re.compile(r"per[ _-]?(?:second|minute)|\b[rt]pm\b|\bqps\b", re.IGNORECASE)
_RATE_LIMIT = re.compile(
    r"throttling|rate_?limit|request_?limit|too_?many_?requests"
    r"|^(?:1302|1303|1305|11202|11203|1002|1039)$",
    re.IGNORECASE,
)
_AUTH = re.compile(
    r"invalid_?api_?key|api_key_invalid|authentication|unauthorized|permission_error|^(?:11200|1004|2049|110|111)$",
    re.IGNORECASE,
)
_BAD_REQUEST = re.compile(
    r"invalid_?request|invalid_?parameter|bad_?request|context_length|model_?not_?found|not_found_error"
    r"|request_too_large|^(?:10003|10004|10163|10907|2013|1210|1211|1212|1213|1214|1215|1261)$",
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
"""Maps codes and types of error objects without a status, also those of Chinese providers, to the status of
an equivalent response."""
_QUOTA_CODE = re.compile(r"insufficient_(?:user_)?quota|token_quota_failed", re.IGNORECASE)
_OVERLOADED = re.compile(r"overloaded", re.IGNORECASE)
_BUSY = (409, 424, 425, 498, 499)
"""Statuses below 500 of a server that may answer the same request later."""
_MAX_WORDS = 4000  # characters of a message that are searched


def error_class(status: int, error: Mapping[str, Any]) -> type[ProviderError]:
    """The class of an error object that came with this HTTP status, or is equivalent to it."""
    codes, text = codes_of(error), str(error.get("message"))[:_MAX_WORDS]
    if _is_refusal(status, codes, text):
        return LLMRefused
    if status == 402 or _any(_BALANCE, codes) or _BALANCE_WORDS.search(text):
        return LLMBalance
    if status in (401, 403, 429) and _any(_QUOTA, codes):
        return LLMQuota
    if status != 429 and _KEY_WORDS.search(text):
        return LLMAuth
    if status == 429:
        return LLMQuota if _is_exhausted(text) and wait_in(error) is None else LLMRateLimit
    if _QUOTA_WORDS.search(text) or _any(_QUOTA_CODE, codes):
        return LLMQuota
    return _class_of_status(status, codes, text)


def _class_of_status(status: int, codes: Sequence[str], text: str) -> type[ProviderError]:
    """The class of an error that is neither a refusal nor a balance or quota error. A gateway may use another
    status than the provider, so the text is checked too."""
    if status >= 500:
        is_final = (
            status == 501 or _WINDOW_WORDS.search(text) or (status == 500 and _MODEL_WORDS.search(text))
        )
        return LLMBadRequest if is_final else LLMUnavailable
    if status in (420, 430) or (status in (400, 403) and _LIMIT_WORDS.search(text)):
        return LLMRateLimit
    if status in (401, 403):
        return LLMAuth
    if status == 408:
        return LLMTimeout
    is_busy = status in _BUSY or (status == 400 and (_BUSY_WORDS.search(text) or _any(_OVERLOADED, codes)))
    return LLMUnavailable if is_busy else LLMBadRequest


def _is_refusal(status: int, codes: Sequence[str], text: str) -> bool:
    if status == 451:
        return True
    return status < 500 and (
        _any(_REFUSED, codes) or (status in (400, 403) and _REFUSED_WORDS.search(text) is not None)
    )


def equivalent_status(error: Mapping[str, Any]) -> int:
    """The HTTP status that an error object states or implies; an unknown error counts as a server error."""
    for key in ("status", "status_code", "code", "http_code"):
        if found := re.fullmatch(r"([45]\d\d)(?:\d\d)?", str(error.get(key)), re.ASCII):
            return int(found[1])
    codes = codes_of(error)
    text = str(error.get("message"))[:_MAX_WORDS]
    told = next((status for pattern, status in _STATUSES if _any(pattern, codes)), 0)
    return told or (429 if _LIMIT_WORDS.search(text) else 500)


def codes_of(error: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(error.get(name)).lower() for name in ("code", "type", "status_code", "error_code"))


def _is_exhausted(text: str) -> bool:
    return bool(_CAP_WORDS.search(text) or (_QUOTA_WORDS.search(text) and not _PER_MINUTE.search(text)))


def _any(pattern: re.Pattern[str], codes: Sequence[str]) -> bool:
    return any(pattern.search(code) for code in codes)
