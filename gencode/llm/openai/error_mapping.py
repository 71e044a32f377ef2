"""What went wrong with a model call, as an error of ours."""

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
from gencode.llm.http_client import broken_off
from gencode.resilience.retry_after import retry_after
from gencode.security.redaction import sanitize

_REFUSED = frozenset({"content_filter", "content_policy_violation", "refusal", "safety"})
_QUOTA = re.compile(r"insufficient_quota|current_quota|quota_exhausted|credit|billing|spend", re.IGNORECASE)
_TWINS = {  # codes and types of error objects that come without a status
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
    """Speaks for one provider: `name` stands in messages, `secrets` never do."""

    def __init__(self, name: str, secrets: Sequence[str] = ()) -> None:
        self._name = name
        self._secrets = tuple(secret for secret in secrets if secret)

    def of_response(self, response: httpx.Response, page: bytes) -> ProviderError:
        """For any status but 200."""
        status = response.status_code
        if 300 <= status < 400:
            return self.wrong_address("it redirects, and redirects are not followed")
        wait = retry_after(response.headers.get("retry-after", ""), time.time())
        return self._error(status, error_in(page), wait)

    def of_object(self, error: Mapping[str, Any]) -> ProviderError:
        """For an error object within a 200 stream: what the same error would be as a response."""
        return self._error(_twin(error), error)

    def of_connecting(self, error: httpx.HTTPError) -> ProviderError:
        if isinstance(error, httpx.TimeoutException):
            return LLMTimeout(f"{self._name} could not be reached in time. Try again later.")
        return LLMNetwork(
            f"{self._name} could not be reached: {self.quote(str(error))}. "
            "Check base_url and the network, then try again."
        )

    def of_reading(self, error: httpx.HTTPError) -> ProviderError:
        if broken_off(error):
            return LLMIncomplete(f"{self._name} broke off in the middle of its answer. Try again.")
        return LLMNetwork(f"The connection to {self._name} was lost: {self.quote(str(error))}. Try again.")

    def wrong_address(self, why: str) -> ProviderError:
        return LLMBadRequest(f"{self._name} is not at its base_url: {why}. Check base_url.")

    def refused(self, words: str) -> ProviderError:
        return self._said(LLMRefused, "refused to answer", words)

    def unavailable(self, words: str) -> ProviderError:
        return self._said(LLMUnavailable, "cannot answer now", words)

    def quote(self, text: str) -> str:
        return sanitize(text, self._secrets)

    def _error(self, status: int, error: Mapping[str, Any], wait: float | None = None) -> ProviderError:
        kind = _kind(status, _codes(error))
        words = error.get("message")
        made = self._said(kind, f"answered with error {status}", words if isinstance(words, str) else "")
        if isinstance(made, Transient):
            made.retry_after = wait
        return made

    def _said(self, kind: type[ProviderError], what: str, words: str) -> ProviderError:
        quoted = self.quote(words)
        said = f": {quoted}" if quoted else ""
        return kind(f"{self._name} {what}{said}{'' if said.endswith('.') else '.'} {_ADVICE[kind]}.")


def error_in(page: bytes) -> Mapping[str, Any]:
    """The error object of an error page; whatever has no such object becomes the message of one."""
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
    if isinstance(found, dict):
        return found if "message" in found else {**found, "message": text}
    return {"message": found if isinstance(found, str) else text}


def _kind(status: int, codes: Sequence[str]) -> type[ProviderError]:
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


def _twin(error: Mapping[str, Any]) -> int:
    """The status that an error object names or means; an unknown one counts as the server's own fault."""
    for key in ("status", "status_code", "code"):
        named = str(error.get(key))
        if re.fullmatch(r"[45]\d\d", named, re.ASCII):
            return int(named)
    codes = _codes(error)
    if _is_quota(codes):
        return 429
    if not _REFUSED.isdisjoint(codes):
        return 400
    return next((_TWINS[code] for code in codes if code in _TWINS), 500)


def _codes(error: Mapping[str, Any]) -> tuple[str, str]:
    return str(error.get("code")).lower(), str(error.get("type")).lower()


def _is_quota(codes: Sequence[str]) -> bool:
    return any(_QUOTA.search(code) for code in codes)
