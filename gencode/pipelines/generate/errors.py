"""Failures of the generate pipeline's own operations: plan approval and replay."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RequestError


class PlanChanged(RequestError):
    """The If-Match precondition of a plan change or approval failed: the plan has another revision."""

    code = "PLAN_CHANGED"
    http_status = 412
    meaning = "If-Match names another revision"


class BadBundle(GencodeError):
    """`gencode replay`: the file does not reproduce a commit of this program."""

    code = "BAD_BUNDLE"
