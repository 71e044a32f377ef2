"""What to propose to the client of a task that failed."""

from __future__ import annotations

from gencode.client import Task

_ANOTHER_ATTEMPT_HELPS = {"GATE_FAILED", "LLM_TRUNCATED", "GIT_UNAVAILABLE", "GIT_TIMEOUT", "GIT_NETWORK"}
"""Not retryable as a request, yet a retry of the task goes on from what it has: docs/errors.md."""


def retry_hint(failed: Task) -> str:
    """What to do about a failed task."""
    error = failed["error"]
    helps = error is not None and (error["retryable"] or error["code"] in _ANOTHER_ATTEMPT_HELPS)
    return f"{'' if helps else 'mend the cause, then '}go on with: gencode retry {failed['task_id']}"
