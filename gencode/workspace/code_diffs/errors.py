"""The errors of code diffs."""

from __future__ import annotations

from gencode.domain.errors import RequestError, RetryHelps


class DiffUnusable(RequestError):
    """The diff cannot be made: it is too large, the commits have no common history, or it was deleted."""

    code = "DIFF_UNUSABLE"
    http_status = 409
    meaning = "The diff cannot be made"
    retry_helps = RetryHelps.NEVER


class DiffNotReady(RequestError):
    """It is being compared, or that has failed."""

    code = "DIFF_NOT_READY"
    http_status = 409
    meaning = "The diff is not compared yet, or that has failed"
    retry_helps = RetryHelps.LATER
