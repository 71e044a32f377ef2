"""Errors of this kind."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RetryHelps


class VerificationFailed(GencodeError):
    """A step of the certificate failed. The project can be downloaded and read; it is not pushed."""

    code = "VERIFICATION_FAILED"
    retry_helps = RetryHelps.NEVER
