"""What is known of a task at one moment, folded from its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from gencode.cli.display.lines import line
from gencode.cli.display.printable import printable
from gencode.client import Message

Data = Mapping[str, Any]
STAGES = ("pending", "generating", "merging_files", "creating_repo", "pushing", "completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskViewModel:
    """began     when each status was entered, by its name, in order
    files        planned and written ones by path; the bytes of those that are whole, else None
    tokens, cost of all answered model calls; cost is a decimal number, or empty
    progress     what the service knows of it; empty if it says nothing
    note         the newest remark
    """

    status: str = "pending"
    message: str = ""
    began: Mapping[str, datetime] = field(default_factory=dict)
    files: Mapping[str, int | None] = field(default_factory=dict)
    tokens: int = 0
    cost: str = ""
    progress: Data = field(default_factory=dict)
    note: str = ""

    @property
    def whole(self) -> int:
        return sum(size is not None for size in self.files.values())

    def seconds(self, stage: str) -> float | None:
        """That a stage took, once another has followed it."""
        times = list(self.began.items())
        for (name, begin), (_, end) in pairwise(times):
            if name == stage:
                return (end - begin).total_seconds()
        return None


def after(view: TaskViewModel, message: Message) -> TaskViewModel:
    """Events of a newer service, and fields that are not as they were, change nothing."""
    note = line(message).strip()
    view = replace(view, note=note) if note and message.kind != "status" else view
    fold = _FOLDS.get(message.kind)
    try:
        return fold(view, message.data) if fold else view
    except (KeyError, TypeError, ValueError):
        return view


def _status(view: TaskViewModel, data: Data) -> TaskViewModel:
    status, at = str(data["status"]), datetime.fromisoformat(str(data["at"]).replace("Z", "+00:00"))
    left = {name: begin for name, begin in view.began.items() if name != status}
    message = printable(str(data["message"]))
    return replace(view, status=status, message=message, began={**left, status: at}, note="")


def _plan(view: TaskViewModel, data: Data) -> TaskViewModel:
    """Also a changed one, which may have lost files; those that are whole may have come before it."""
    paths = [printable(str(file["path"])) for file in data["files"]]
    whole = {path: size for path, size in view.files.items() if size is not None}
    return replace(view, files={**dict.fromkeys(paths), **whole})


def _file(view: TaskViewModel, data: Data) -> TaskViewModel:
    return replace(view, files={**view.files, printable(str(data["path"])): int(data["bytes"])})


def _usage(view: TaskViewModel, data: Data) -> TaskViewModel:
    total = data["total"]
    tokens = int(total["prompt"]) + int(total["completion"])
    return replace(view, tokens=tokens, cost=printable(str(total.get("cost") or "")))


def _progress(view: TaskViewModel, data: Data) -> TaskViewModel:
    return replace(view, progress=dict(data))


_FOLDS: Mapping[str, Callable[[TaskViewModel, Data], TaskViewModel]] = {
    "status": _status,
    "plan": _plan,
    "file": _file,
    "usage": _usage,
    "progress": _progress,
}
