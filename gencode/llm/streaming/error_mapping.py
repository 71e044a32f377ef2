"""Maps failures of a model call to ProviderErrors."""

from __future__ import annotations

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
from gencode.llm.streaming.error_classification import equivalent_status, error_class
from gencode.llm.streaming.error_objects import error_in
from gencode.llm.streaming.retry_delay_in_body import wait_in
from gencode.outbound.checked_transport import AddressRefused
from gencode.resilience.retry_after import wait_from_headers
from gencode.security.redaction import sanitize

_NO_ENDPOINT = re.compile(
    r"unexpected endpoint|(?:no such|unknown|invalid|not a valid) (?:endpoint|route|path|url)|cannot post"
    r"|no static resource",
    re.IGNORECASE,
)
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
    """Maps the errors of one provider. Messages contain its `name` and never one of the `secrets`."""

    def __init__(self, name: str, secrets: Sequence[str] = ()) -> None:
        self._name = name
        self._secrets = tuple(secret for secret in secrets if secret)

    def from_response(self, response: httpx.Response, page: bytes) -> ProviderError:
        """The error for any status but 200. `page`: the body, or its beginning."""
        status = response.status_code
        if 300 <= status < 400:
            return self.wrong_address("it redirects, and redirects are not followed")
        error = error_in(page)
        told = (response.headers, _headers_in(error))
        waits = (wait_from_headers(headers, time.time()) for headers in told)
        wait = next((wait for wait in waits if wait), None) or wait_in(error)
        made = self._error(status, error, wait)
        made.may_be_billed = status in _GATEWAY_TIMEOUTS
        return made

    def from_error_object(self, error: Mapping[str, Any], *, is_first: bool = False) -> ProviderError:
        """The error for an error object within a 200 stream: the same as for an equivalent response.

        is_first   nothing of an answer came before it: then it may say that there is no such address
        """
        text = str(error.get("message"))
        if is_first and _NO_ENDPOINT.search(text):
            return self.wrong_address(f"it answers {self.quote(text)!r}")
        return self._error(equivalent_status(error), error, wait_in(error))

    def from_connect_error(self, error: httpx.HTTPError) -> ProviderError:
        """The error for a failure before the response headers."""
        if isinstance(error, AddressRefused):
            return self.wrong_address(f"it {error}; the operator can allow a network")
        made: ProviderError = LLMNetwork(
            f"{self._name} could not be reached: {self.quote(str(error))}. "
            "Check base_url and the network, then try again."
        )
        if isinstance(error, httpx.TimeoutException):
            made = LLMTimeout(f"{self._name} could not be reached in time. Try again later.")
        made.may_be_billed = not isinstance(error, _NOT_SENT)
        return made

    def from_read_error(self, error: httpx.HTTPError) -> ProviderError:
        """The error for a failure within the response body."""
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
        text = error.get("message")
        kind = error_class(status, error)
        made = self._make(kind, f"answered with error {status}", text if isinstance(text, str) else "")
        if isinstance(made, Transient):
            made.retry_after = wait
        return made

    def _make(self, kind: type[ProviderError], event: str, text: str) -> ProviderError:
        quoted = self.quote(text)
        detail = f": {quoted}" if quoted else ""
        return kind(f"{self._name} {event}{detail}{'' if detail.endswith('.') else '.'} {_ADVICE[kind]}.")


def _headers_in(error: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers that a gateway passes on inside of the body."""
    metadata = error.get("metadata")
    headers = metadata.get("headers") if isinstance(metadata, dict) else None
    return (
        {str(name).lower(): str(value) for name, value in headers.items()}
        if isinstance(headers, dict)
        else {}
    )
