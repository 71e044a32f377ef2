"""Failures of generated code."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, Transient


class ValidationFailed(GencodeError):
    """Validation found faults that the model did not correct in the rounds it was given."""

    code = "GATE_FAILED"


class CheckFailed(Transient):
    """The files could not be checked. What is not checked is not pushed."""

    code = "CHECK_FAILED"
