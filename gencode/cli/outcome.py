"""What a task's fields say about its outcome, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gencode.cli.display.events import KindDisplay

RETRY_HELPS = frozenset({"LLM_TRUNCATED", "GIT_UNAVAILABLE", "GIT_TIMEOUT", "GIT_NETWORK"})
"""Codes of failures that are not retryable as a request, yet a retry of the task continues from its
checkpoints: docs/errors.md."""


def is_paused(task: Mapping[str, Any]) -> bool:
    """Whether it waits for approval. Older services send no `state`."""
    return bool(task.get("awaiting_approval")) or task.get("state") == "paused"


def clone_command(task: Mapping[str, Any]) -> str:
    """Empty for a task without a repository."""
    address = task.get("clone_url") or task.get("repo_url")
    return f"git clone {address}" if address else ""


def retry_hint(task: Mapping[str, Any], display: KindDisplay) -> str:
    """What to do about a failed task."""
    helps = _retry_helps(task.get("error"), RETRY_HELPS | display.retry_helps)
    return f"{'' if helps else 'mend the cause, then '}go on with: gencode retry {task['task_id']}"


def _retry_helps(error: Mapping[str, Any] | None, codes: Collection[str]) -> bool:
    return error is not None and bool(error["retryable"] or error["code"] in codes)
