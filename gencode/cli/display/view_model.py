"""The view model of a task: its current values, updated by events of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from gencode.cli.output import printable

Data = Mapping[str, Any]
PENDING = "pending"
FINAL = ("completed", "failed", "cancelled")
"""Statuses of a task that is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskViewModel:
    """began     when each status was entered, by its name, in order
    files        planned and written ones by path; the bytes of those that are whole, else None
    tokens, cost of all answered model calls; cost is a decimal number, or empty
    progress     the newest `progress` message of the service; empty before the first
    note         the newest event as a line, except statuses
    """

    status: str = PENDING
    message: str = ""
    began: Mapping[str, datetime] = field(default_factory=dict)
    files: Mapping[str, int | None] = field(default_factory=dict)
    tokens: int = 0
    cost: str = ""
    progress: Data = field(default_factory=dict)
    note: str = ""

    @property
    def whole_files(self) -> int:
        return sum(size is not None for size in self.files.values())

    def seconds(self, stage: str) -> float | None:
        """How long a stage took; None until another has followed it."""
        times = list(self.began.items())
        for (name, begin), (_, end) in pairwise(times):
            if name == stage:
                return (end - begin).total_seconds()
        return None


def _enter_status(view: TaskViewModel, data: Data) -> TaskViewModel:
    """A retried task enters a stage again, which then counts from there."""
    status, at = str(data["status"]), datetime.fromisoformat(str(data["at"]).replace("Z", "+00:00"))
    others = {name: begin for name, begin in view.began.items() if name != status}
    message = printable(str(data["message"]))
    return replace(view, status=status, message=message, began={**others, status: at}, note="")


def _set_usage(view: TaskViewModel, data: Data) -> TaskViewModel:
    total = data["total"]
    tokens = int(total["prompt"]) + int(total["completion"])
    return replace(view, tokens=tokens, cost=printable(str(total.get("cost") or "")))


def _set_progress(view: TaskViewModel, data: Data) -> TaskViewModel:
    return replace(view, progress=dict(data))


def _set_error(view: TaskViewModel, data: Data) -> TaskViewModel:
    """The failed status has the same message; it is shown once, with the code."""
    if printable(str(data["message"])) != view.message:
        return view
    return replace(view, message=printable(f"{data['code']}: {data['message']}"), note="")


UPDATES: Mapping[str, Callable[[TaskViewModel, Data], TaskViewModel]] = {
    "status": _enter_status,
    "usage": _set_usage,
    "progress": _set_progress,
    "error": _set_error,
}
"""By the kind of event: the view model after it."""
