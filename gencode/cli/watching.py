"""Watching a task: on a terminal a picture that moves, else lines, or JSON; the exit status it ends with."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

from gencode.cli.display.json_lines import JsonLines
from gencode.cli.display.lines import Lines
from gencode.cli.display.printable import as_json, printable
from gencode.cli.display.screen import Screen
from gencode.cli.follow import follow
from gencode.cli.plan_approval import approve
from gencode.cli.retry_hint import retry_hint
from gencode.client import Client, Task


async def watch(client: Client, chosen: argparse.Namespace, task_id: str, after: int = 0) -> int:
    """0 if the task completed. Who sits at a terminal is asked about a plan that waits for approval; others
    are told how to approve it, and the watching goes on."""
    chosen.task_id = task_id
    screen = _screen(chosen)
    while True:
        heard = await follow(client, task_id, screen, after, pause_at=set() if chosen.json else {"approval"})
        if not heard.paused:
            return _ended(chosen, await client.task(task_id))
        after = heard.last
        if not await _still_waits(client, task_id):
            continue
        if not _interactive(chosen):
            print(printable(f"{'':<14} it waits for: gencode approve {task_id}"), flush=True)
        elif not await approve(client, chosen, task_id):
            print(printable(f"it waits on; come back with: gencode approve {task_id}"), flush=True)
            return 0


async def _still_waits(client: Client, task_id: str) -> bool:
    return bool((await client.task(task_id)).get("awaiting_approval"))


def _screen(chosen: argparse.Namespace) -> Screen:
    if chosen.json:
        return JsonLines()
    if not sys.stdout.isatty() or chosen.plain:
        return Lines()
    # Imported only here: rich takes longer than many a command runs.
    live: Any = import_module("gencode.cli.display.live")
    screen: Screen = live.live_screen()
    return screen


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plain", action="store_true", help="lines also on a terminal")


def _interactive(chosen: argparse.Namespace) -> bool:
    return not chosen.json and sys.stdin.isatty() and sys.stdout.isatty()


def _ended(chosen: argparse.Namespace, task: Task) -> int:
    if chosen.json:
        print(as_json({"event": "task", "id": 0, "data": task}), flush=True)
    elif task["status"] == "completed":
        print(printable(f"\ngit clone {task['clone_url'] or task['repo_url']}"), flush=True)
    elif task["status"] == "failed":
        print(printable(f"\n{retry_hint(task)}"), flush=True)
    return 0 if task["status"] == "completed" else 1
