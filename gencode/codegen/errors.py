"""Failures of generated code."""

from __future__ import annotations

from gencode.domain.errors import GencodeError


class ValidationFailed(GencodeError):
    """Validation found faults that the model did not correct in the rounds it was given."""

    code = "GATE_FAILED"
