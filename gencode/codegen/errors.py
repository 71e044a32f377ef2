"""Errors of the validation of generated code."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RetryHelps, Transient


class ValidationFailed(GencodeError):
    """Validation found faults that the model did not correct in the rounds it was given. A retry grants
    as many rounds again."""

    code = "GATE_FAILED"
    retry_helps = RetryHelps.NOW
    retry_fields = ("deliver",)
    concerns_operator = False


class CheckFailed(Transient):
    """The files could not be checked. Unchecked files are not pushed."""

    code = "CHECK_FAILED"
