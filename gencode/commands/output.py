"""What commands print: lines for people, or the service's own JSON for scripts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from gencode.client import Task
from gencode.screens.printable import as_json, printable

_ANOTHER_ATTEMPT_HELPS = {"GATE_FAILED", "LLM_TRUNCATED", "GIT_UNAVAILABLE", "GIT_TIMEOUT", "GIT_NETWORK"}
"""Not retryable as a request, yet a retry of the task goes on from what it has: docs/errors.md."""


def show(chosen: argparse.Namespace, document: Any, lines: Iterable[str]) -> None:
    if chosen.json:
        print(as_json(document), flush=True)
    else:
        for line in lines:
            print(printable(line), flush=True)


def way_on(failed: Task) -> str:
    """What to do about a failed task."""
    error = failed["error"]
    helps = error is not None and (error["retryable"] or error["code"] in _ANOTHER_ATTEMPT_HELPS)
    return f"{'' if helps else 'mend the cause, then '}go on with: gencode retry {failed['task_id']}"
