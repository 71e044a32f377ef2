"""Failures of model calls, with the codes LLM_* and BUDGET_EXCEEDED.

A Transient error may be cured by another attempt; `gencode.llm.session` makes it.
"""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RetryHelps, Transient

QUOTED = 200
"""Characters of an answer in the message of its error."""


class ProviderError(GencodeError):
    """A failure of the model provider's API, or of its answer.

    may_be_billed  whether the provider may bill a call that failed with this error before any data arrived.
                   False: the request was rejected before the model ran, or never reached the provider
    helps_failover  whether another model may answer where this one failed
    """

    code = "LLM_ERROR"
    http_status = 502
    may_be_billed: bool = True
    helps_failover: bool = False


class LLMBadRequest(ProviderError):
    code = "LLM_BAD_REQUEST"
    may_be_billed = False


class PrefixRejected(LLMBadRequest):
    """The model does not support prefix completion. From now on the provider asks for a continuation in the
    prompt; the caller should rebuild the prefix and retry."""


class LLMAuth(ProviderError):
    code = "LLM_AUTH"
    may_be_billed = False


class LLMBalance(ProviderError):
    """The provider's account has no money left."""

    code = "LLM_BALANCE"
    may_be_billed = False
    helps_failover = True


class LLMQuota(ProviderError):
    """A spending limit or quota at the provider is used up; waiting a little does not help."""

    code = "LLM_QUOTA"
    may_be_billed = False
    helps_failover = True


class LimitReached(ProviderError):
    """The next call could exceed the monthly limit of its model config."""

    code = "LLM_LIMIT_REACHED"
    may_be_billed = False
    helps_failover = True
    concerns_operator = False


class LLMRefused(ProviderError):
    """The model, or the provider's content filter, refuses to answer."""

    code = "LLM_REFUSED"
    retry_helps = RetryHelps.NEVER
    concerns_operator = False


class LLMTruncated(ProviderError):
    """The answer is still incomplete after the most answers that the limits allow. A retry allows the same
    number of further answers."""

    code = "LLM_TRUNCATED"
    retry_helps = RetryHelps.NOW
    concerns_operator = False


class LLMTooLarge(ProviderError):
    """The answer, or its file, exceeds the limit in bytes."""

    code = "LLM_TOO_LARGE"
    retry_helps = RetryHelps.NEVER
    concerns_operator = False


class LLMRateLimit(ProviderError, Transient):
    code = "LLM_RATE_LIMIT"
    may_be_billed = False
    helps_failover = True


class LLMUnavailable(ProviderError, Transient):
    code = "LLM_UNAVAILABLE"
    may_be_billed = False
    helps_failover = True


class LLMNetwork(ProviderError, Transient):
    code = "LLM_NETWORK"
    helps_failover = True


class LLMTimeout(ProviderError, Transient):
    code = "LLM_TIMEOUT"
    helps_failover = True


class LLMIncomplete(ProviderError, Transient):
    """The stream ended without a reason; the text so far is not a complete answer."""

    code = "LLM_INCOMPLETE"
    helps_failover = True


class LLMBadOutput(ProviderError, Transient):
    """The answer is not what was requested: it is blank, no JSON plan, or reasoning only.

    for_model  a note for the model, added to the request of the next attempt; "": the same request is
               repeated
    """

    code = "LLM_BAD_OUTPUT"
    retry_helps = RetryHelps.NOW
    concerns_operator = False

    def __init__(self, message: str, *, for_model: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.for_model = for_model

    def quote(self, answer: str) -> None:
        """Adds the beginning of the answer to the message, so that its reader sees what the model wrote."""
        if beginning := " ".join(answer[: 4 * QUOTED].split())[:QUOTED]:
            self.message = f"{self.message.rstrip('.')}. The answer began: {beginning}"


class BudgetExceeded(GencodeError):
    """The next model call could exceed the limits that the request itself sets."""

    code = "BUDGET_EXCEEDED"
    retry_fields = ("max_tokens", "max_cost", "deadline")
    concerns_operator = False
