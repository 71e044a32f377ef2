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
from gencode.resilience.retry_after import retry_after
from gencode.security.redaction import sanitize

_REFUSED = frozenset({"content_filter", "content_policy_violation", "refusal", "safety"})
_QUOTA = re.compile(r"insufficient_quota|current_quota|quota_exhausted|credit|billing|spend", re.IGNORECASE)
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
        wait = retry_after(response.headers.get("retry-after", ""), time.time())
        error = self._error(status, error_in(page), wait)
        error.may_be_billed = status in _GATEWAY_TIMEOUTS
        return error

    def from_error_object(self, error: Mapping[str, Any]) -> ProviderError:
        """For an error object within a 200 stream: the same error as for an equivalent response."""
        return self._error(_equivalent_status(error), error)

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
