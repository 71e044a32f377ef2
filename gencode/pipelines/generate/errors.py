"""Failures of the generate pipeline's own operations: plan approval and replay."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RequestError


class PlanChanged(RequestError):
    """The If-Match precondition of a plan change or approval failed: the plan has another revision."""

    code = "PLAN_CHANGED"
    http_status = 412
    meaning = "If-Match names another revision"


class BadBundle(GencodeError):
    """`gencode replay`: the file is not a valid bundle."""

    code = "BAD_BUNDLE"
