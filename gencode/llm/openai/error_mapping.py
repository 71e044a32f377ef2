"""Maps failures of a model call to ProviderErrors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from gencode.domain.errors import Transient
from gencode.llm.errors import (
    LLMAuth,
    LLMBadRequest,
    LLMBalance,
    LLMIncomplete,
    LLMNetwork,
    LLMQuota,
    LLMRateLimit,
    LLMRefused,
    LLMTimeout,
    LLMUnavailable,
    ProviderError,
)
from gencode.llm.http_client import is_incomplete_response
from gencode.resilience.retry_after import wait_from_headers
from gencode.security.redaction import sanitize

_REFUSED = frozenset({"content_filter", "content_policy_violation", "refusal", "safety"})
_QUOTA = re.compile(r"insufficient_quota|current_quota|quota_exhausted|credit|billing|spend", re.IGNORECASE)
_QUOTA_WORDS = re.compile(
    r"exceeded your (?:current|monthly|daily)? ?quota|insufficient (?:quota|balance|credits?|funds)"
    r"|budget has been exceeded|quota (?:is |has been )?(?:exhausted|used up)|out of credits"
    r"|credit balance is too low"
    r"|spend(?:ing)? limit|billing hard limit|余额不足|欠费|额度(?:已)?(?:用尽|不足|耗尽)",
    re.IGNORECASE,
)
"""In the message of a 429. A limit per minute may use these words, too, but says when to try again."""
_PER_MINUTE = re.compile(r"per[ _-]?(?:second|minute)|\b[rt]pm\b|\bqps\b", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?)(?: your request)? (?:in|after) ([0-9.]{1,20}) ?"
    r"(ms|seconds?|s|minutes?|min|m)\b",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?")
_UNITS = {"ms": 0.001, "s": 1.0, "se": 1.0, "m": 60.0, "mi": 60.0}
_NO_ENDPOINT = re.compile(
    r"unexpected endpoint|(?:no such|unknown|invalid|not a valid) (?:endpoint|route|path|url)|cannot post"
    r"|no static resource",
    re.IGNORECASE,
)
_STATUS_OF_CODE = {  # codes and types of error objects that have no status
    "invalid_request_error": 400,
    "invalid_request": 400,
    "context_length_exceeded": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "insufficient_balance": 402,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "timeout": 408,
}
_GATEWAY_TIMEOUTS = (408, 504, 524)
"""Statuses behind which the model may have run."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_ADVICE: Mapping[type[ProviderError], str] = {
    LLMBadRequest: "Check the model id, base_url, the provider's quirks and the length of the prompt",
    LLMAuth: "Check the provider's API key and what it may be used for",
    LLMBalance: "Top up the account at the provider",
    LLMQuota: "Raise the spending limit at the provider, or wait until its quota is renewed",
    LLMRefused: "Change the prompt",
    LLMRateLimit: "Try again later, or raise the account's limits at the provider",
    LLMUnavailable: "Try again later or choose another model",
    LLMTimeout: "Try again later or choose another model",
}


class ErrorMapper:
    """Of one provider. Messages contain its `name` and never one of the `secrets`."""

    def __init__(self, name: str, secrets: Sequence[str] = ()) -> None:
        self._name = name
        self._secrets = tuple(secret for secret in secrets if secret)

    def from_response(self, response: httpx.Response, page: bytes) -> ProviderError:
        """For any status but 200. `page`: the body, or its beginning."""
        status = response.status_code
        if 300 <= status < 400:
            return self.wrong_address("it redirects, and redirects are not followed")
        error = error_in(page)
        wait = wait_from_headers(response.headers, time.time()) or _wait_in(error)
        made = self._error(status, error, wait)
        made.may_be_billed = status in _GATEWAY_TIMEOUTS
        return made

    def from_error_object(self, error: Mapping[str, Any], *, is_first: bool = False) -> ProviderError:
        """For an error object within a 200 stream: the same error as for an equivalent response.

        is_first   nothing of an answer came before it: then it may say that there is no such address
        """
        text = str(error.get("message"))
        if is_first and _NO_ENDPOINT.search(text):
            return self.wrong_address(f"it answers {self.quote(text)!r}")
        return self._error(_equivalent_status(error), error, _wait_in(error))

    def from_connect_error(self, error: httpx.HTTPError) -> ProviderError:
        """For a failure before the response headers."""
        made: ProviderError = LLMNetwork(
            f"{self._name} could not be reached: {self.quote(str(error))}. "
            "Check base_url and the network, then try again."
        )
        if isinstance(error, httpx.TimeoutException):
            made = LLMTimeout(f"{self._name} could not be reached in time. Try again later.")
        made.may_be_billed = not isinstance(error, _NOT_SENT)
        return made

    def from_read_error(self, error: httpx.HTTPError) -> ProviderError:
        """For a failure within the response body."""
        if is_incomplete_response(error):
            return LLMIncomplete(f"{self._name} broke off in the middle of its answer. Try again.")
        return LLMNetwork(f"The connection to {self._name} was lost: {self.quote(str(error))}. Try again.")

    def wrong_address(self, reason: str) -> ProviderError:
        return LLMBadRequest(f"{self._name} is not at its base_url: {reason}. Check base_url.")

    def refused(self, text: str) -> ProviderError:
        return self._make(LLMRefused, "refused to answer", text)

    def unavailable(self, text: str) -> ProviderError:
        return self._make(LLMUnavailable, "cannot answer now", text)

    def quote(self, text: str) -> str:
        """The provider's own text, shortened to one line and redacted."""
        return sanitize(text, self._secrets)

    def _error(self, status: int, error: Mapping[str, Any], wait: float | None = None) -> ProviderError:
        kind = _error_class(status, _codes(error))
        text = error.get("message")
        if kind is LLMRateLimit and _wait_in(error) is None and _tells_exhausted_quota(str(text)):
            kind = LLMQuota
        made = self._make(kind, f"answered with error {status}", text if isinstance(text, str) else "")
        if isinstance(made, Transient):
            made.retry_after = wait
        return made

    def _make(self, kind: type[ProviderError], event: str, text: str) -> ProviderError:
        quoted = self.quote(text)
        detail = f": {quoted}" if quoted else ""
        return kind(f"{self._name} {event}{detail}{'' if detail.endswith('.') else '.'} {_ADVICE[kind]}.")


def error_in(page: bytes) -> Mapping[str, Any]:
    """The error object in an error page; a page without one becomes the message of one."""
    text = page.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text}
    if isinstance(found, list) and found:  # Gemini's compatible API wraps it in a list
        found = found[0]
    if isinstance(found, dict):
        found = found.get("error") or found
    return as_error(found, text)


def error_object(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error in an event of a stream; None if it has none."""
    found = event.get("error")
    if not found and "error" in (event.get("object"), event.get("type")):
        found = event
    return as_error(found) if found else None


def as_error(found: object, text: str = "") -> Mapping[str, Any]:
    """An error object with a message, from anything that servers send. `text`: the default message."""
    if isinstance(found, dict):
        return found if "message" in found else {**found, "message": text}
    return {"message": found if isinstance(found, str) else text}


def _error_class(status: int, codes: Sequence[str]) -> type[ProviderError]:
    if status < 500 and not _REFUSED.isdisjoint(codes):
        return LLMRefused
    match status:
        case 401 | 403 | 429 if _is_quota(codes):
            return LLMQuota
        case 401 | 403:
            return LLMAuth
        case 402:
            return LLMBalance
        case 408:
            return LLMTimeout
        case 429:
            return LLMRateLimit
    return LLMUnavailable if status >= 500 else LLMBadRequest


def _tells_exhausted_quota(text: str) -> bool:
    return bool(_QUOTA_WORDS.search(text)) and not _PER_MINUTE.search(text)


def _wait_in(error: Mapping[str, Any]) -> float | None:
    """Seconds that an error object asks to wait: "Please try again in 20s", or Gemini's `retryDelay`."""
    details = error.get("details")
    delays = (
        [item.get("retryDelay") for item in details if isinstance(item, dict)]
        if isinstance(details, list)
        else []
    )
    told = [f"retry in {delay}" for delay in delays if isinstance(delay, str)]
    for text in (*told, str(error.get("message"))[:2000]):
        if (found := _WAIT.search(text)) and _SECONDS.fullmatch(found[1]):
            return float(found[1]) * _UNITS[found[2][:2].lower()]
    return None


def _equivalent_status(error: Mapping[str, Any]) -> int:
    """The HTTP status that an error object states or implies; an unknown error counts as a server error."""
    for key in ("status", "status_code", "code"):
        named = str(error.get(key))
        if re.fullmatch(r"[45]\d\d", named, re.ASCII):
            return int(named)
    codes = _codes(error)
    if _is_quota(codes):
        return 429
    if not _REFUSED.isdisjoint(codes):
        return 400
    return next((_STATUS_OF_CODE[code] for code in codes if code in _STATUS_OF_CODE), 500)


def _codes(error: Mapping[str, Any]) -> tuple[str, str]:
    return str(error.get("code")).lower(), str(error.get("type")).lower()


def _is_quota(codes: Sequence[str]) -> bool:
    return any(_QUOTA.search(code) for code in codes)
