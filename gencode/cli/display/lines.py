"""Events as lines: for logs, pipes, and terminals that cannot do more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from gencode.cli.display.printable import printable
from gencode.cli.display.screen import Plain
from gencode.client import Message, ServiceError

Data = dict[str, Any]

_LINES: dict[str, Callable[[Data], str]] = {
    "status": lambda d: f"{d['status']:<14} {d['message']}",
    "plan": lambda d: f"{'':<14} planned {len(d['files'])} files: {d['summary']}",
    "approval": lambda d: f"{'':<14} {d['message']}",
    "approved": lambda d: f"{'':<14} {d['message']}",
    "cached": lambda d: f"{'':<14} plan and files are those of task {d['from_task']}",
    "part": lambda d: f"{'':<14} {d['path']}: part {d['part']} of {d['of']}",
    "file": lambda d: f"{'':<14} {d['path']} ({d['bytes']} bytes, {d['done']} of {d['of'] or '?'})",
    "retry": lambda d: f"{'':<14} trying again in {d['wait_seconds']} s: {d['message']}",
    "findings": lambda d: f"{'':<14} found: {_places(d['findings'])}",
    "repair": lambda d: f"{'':<14} {d['path']} written anew",
    "resumed": lambda d: f"{'':<14} goes on where it stopped",
    "pushed": lambda d: f"{'':<14} pushed commit {d['commit']}",
    "error": lambda d: f"{'':<14} {d['code']}: {d['message']}",
}


class Lines(Plain):
    def show(self, message: Message) -> None:
        if text := line(message):
            print(text, flush=True)

    def lost(self, error: ServiceError | None, seconds: float) -> None:
        print(interruption(error, seconds), file=sys.stderr, flush=True)


def line(message: Message) -> str:
    """For a terminal; empty for what is of no interest there, and for events of a newer service."""
    try:
        text = _LINES[message.kind](message.data) if message.kind in _LINES else ""
    except (KeyError, TypeError):
        return ""
    return printable(text).replace("\n", " ")


def interruption(error: ServiceError | None, seconds: float) -> str:
    reason = error.message if error else "the service ended the stream"
    return f"{printable(reason)}; going on in {seconds:.0f} s"


def _places(findings: list[Data]) -> str:
    shown = [f"{found['path']}:{found['line']} ({found['rule']})" for found in findings[:5]]
    return ", ".join(shown) + (", ..." if len(findings) > 5 else "")
