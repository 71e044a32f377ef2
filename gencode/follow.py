"""A task's events as lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gencode.client import Client

Data = dict[str, Any]

_LINES: dict[str, Callable[[Data], str]] = {
    "status": lambda d: f"{d['status']:<14} {d['message']}",
    "plan": lambda d: f"{'':<14} planned {len(d['files'])} files: {d['summary']}",
    "file": lambda d: f"{'':<14} {d['path']} ({d['bytes']} bytes, {d['done']} of {d['of'] or '?'})",
    "retry": lambda d: f"{'':<14} trying again in {d['wait_seconds']} s: {d['message']}",
    "findings": lambda d: f"{'':<14} found: {_places(d['findings'])}",
    "repair": lambda d: f"{'':<14} {d['path']} written anew",
    "resumed": lambda d: f"{'':<14} goes on where it stopped",
    "pushed": lambda d: f"{'':<14} pushed commit {d['commit']}",
    "error": lambda d: f"{'':<14} {d['code']}: {d['message']}",
}


def _places(findings: list[Data]) -> str:
    shown = [
        f"{found.get('path') or found['file']}:{found['line']} ({found['rule']})" for found in findings[:5]
    ]
    return ", ".join(shown) + (", ..." if len(findings) > 5 else "")


async def follow(client: Client, task_id: str, after: int = 0) -> str | None:
    """Print what comes after an event until the task is over; the repository's address if it completed."""
    last: Data = {}
    async for message in client.events(task_id, after):
        if line := _LINES.get(message.kind):
            print(line(message.data), flush=True)
        last = message.data if message.kind == "status" else last
    return str(last["repo_url"]) if last.get("status") == "completed" else None
