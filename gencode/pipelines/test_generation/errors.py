"""Errors of this kind."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RetryHelps


class NothingToTest(GencodeError):
    """No function was found that can be tested."""

    code = "NOTHING_TO_TEST"
    retry_helps = RetryHelps.NEVER
    concerns_operator = False
