"""The display of a task's events: those of every kind, and a record for what a kind adds."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gencode.cli.display.view_model import UPDATES, Data, TaskViewModel
from gencode.cli.output import printable
from gencode.client import Kind, Message

INDENT = " " * 15
"""Below the status, which begins a line of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KindDisplay:
    """What a kind of task registers for the command line; the defaults do for a kind that is not known.

    lines    by the kind of event: its text, of one line
    updates  by the kind of event: the view model after it. Both may raise KeyError, TypeError and
             ValueError for data of a newer service; the event is then skipped
    stages   title by the name of the stage, in order
    fields   what `gencode show` prints of a task beside status and times. None: every field that is a
             text or a number
    options  by the field of a retry: its option of `gencode retry`, if that is not named like the field
    advice   by the code of an error after which no retry helps: what to submit instead
    """

    lines: Mapping[str, Callable[[Data], str]] = field(default_factory=dict)
    updates: Mapping[str, Callable[[TaskViewModel, Data], TaskViewModel]] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    advice: Mapping[str, str] = field(default_factory=dict)

    def merged_stages(self, described: Kind | None) -> Mapping[str, str]:
        """The stages in the service's order if it describes the kind; titles registered here go first."""
        if described is None:
            return self.stages
        return {
            stage["name"]: self.stages.get(stage["name"]) or printable(str(stage["title"]["en"]))
            for stage in described["stages"]
        }


def display_for(args: argparse.Namespace, kind: str) -> KindDisplay:
    return args.registry.display(kind) or KindDisplay()


def _status_line(data: Data) -> str:
    """The message of a failure is left to the `error` event that follows it."""
    return "failed" if data["status"] == "failed" else f"{data['status']:<14} {data['message']}"


_LINES: Mapping[str, Callable[[Data], str]] = {
    "status": _status_line,
    "approval": lambda d: f"{INDENT}{d['message']}",
    "approved": lambda d: f"{INDENT}{d['message']}",
    "retry": lambda d: f"{INDENT}trying again in {d['wait_seconds']} s: {d['message']}",
    "failover": lambda d: f"{INDENT}{d['to']} answers in place of {d['from']}: {d['message']}",
    "fetch_progress": lambda d: f"{INDENT}received {d['received_bytes']:,} bytes",
    "synced": lambda d: f"{INDENT}branches: {d['branches']}, new objects: {d['objects']}",
    "compared": lambda d: f"{INDENT}files: {d['files']}, lines: +{d['added']} -{d['deleted']}",
    "resumed": lambda _: f"{INDENT}goes on where it stopped",
    "error": lambda d: f"{INDENT}{d['code']}: {d['message']}",
}


def event_line(message: Message, display: KindDisplay) -> str:
    """For a terminal; empty for an event that has no line, such as one of a newer service."""
    describe = display.lines.get(message.kind) or _LINES.get(message.kind)
    try:
        text = describe(message.data) if describe else ""
    except (KeyError, TypeError, ValueError):
        return ""
    return printable(text).replace("\n", " ")


def apply_event(view: TaskViewModel, message: Message, display: KindDisplay) -> TaskViewModel:
    """The view model after an event. An event of a newer service, or one without the fields that are known,
    changes nothing."""
    note = event_line(message, display).strip()
    if note and message.kind != "status":
        view = replace(view, note=note)
    update = UPDATES.get(message.kind) or display.updates.get(message.kind)
    try:
        return update(view, message.data) if update else view
    except (KeyError, TypeError, ValueError):
        return view
