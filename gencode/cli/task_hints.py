"""Hints about a task's outcome, from its fields: how to clone, approve or retry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.cli.display.kind_display import KindDisplay


def is_paused(task: Mapping[str, Any]) -> bool:
    """Whether it waits for approval. Older services send no `state`."""
    return bool(task.get("awaiting_approval")) or task.get("state") == "paused"


def clone_command(task: Mapping[str, Any]) -> str:
    """Empty for a task without a repository."""
    address = task.get("clone_url") or task.get("repo_url")
    return f"git clone {address}" if address else ""


def retry_hint(task: Mapping[str, Any], display: KindDisplay) -> str:
    """What to do about a failed task, with the options of the command line."""
    error: Mapping[str, Any] = task.get("error") or {}
    command = f"go on with: gencode retry {task['task_id']}"
    helps = _retry_helps(error)
    if helps == "never":
        return display.advice.get(error["code"], "a retry would end the same way: submit another request")
    if fields := error.get("retry_fields"):
        options = _listed([display.options.get(name) or f"--{name.replace('_', '-')}" for name in fields])
        return f"{command} with {options}" if helps == "after_change" else f"{command} (it takes {options})"
    return f"fix the cause, then {command}" if helps == "after_change" else command


def _retry_helps(error: Mapping[str, Any]) -> str:
    """Older services send only whether the request can succeed."""
    return str(error.get("retry_helps") or ("later" if error.get("retryable") else "after_change"))


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
