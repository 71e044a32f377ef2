"""Failures of posting a review, besides those of every host (`gencode.githosts.errors`)."""

from __future__ import annotations

from typing import ClassVar

from gencode.domain.errors import GencodeError
from gencode.githosts.errors import (
    HostAuth,
    HostError,
    HostForbidden,
    HostInvalid,
    HostNetwork,
    HostProtocol,
    HostRateLimit,
    HostUnavailable,
)


class ChangeUnknown(HostError):
    """The repository has no such change request, or the token does not see it."""

    code = "CHANGE_UNKNOWN"
    concerns_operator = False


class ChangeClosed(GencodeError):
    """The change request is merged or closed."""

    code = "CHANGE_CLOSED"
    http_status = 409
    concerns_operator = False


class PostingRefused(HostInvalid):
    """The host does not take the review, for a reason that has no code of its own."""

    code = "POSTING_REFUSED"
    retry_fields: ClassVar[tuple[str, ...]] = ()


class PostingUnavailable(GencodeError):
    """The repository, its credential or its host cannot be used for posting."""

    code = "POSTING_UNAVAILABLE"
    http_status = 409
    concerns_operator = False


POSTING_ERRORS = (
    *(HostAuth, HostForbidden, HostRateLimit, HostUnavailable, HostNetwork, HostProtocol),
    *(ChangeUnknown, ChangeClosed, PostingRefused, PostingUnavailable),
)
"""What posting a review can fail with."""
