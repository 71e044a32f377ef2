"""Follows a task's events to its end and shows them: live on a terminal, else as lines or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gencode.cli.approval import ask_for_approval, reviewer_for
from gencode.cli.display.event_printers import JSONScreen, LineScreen, Screen
from gencode.cli.display.kind_display import KindDisplay, display_for
from gencode.cli.output import as_json, printable
from gencode.cli.task_hints import clone_command, is_paused, retry_hint
from gencode.client import Client, Task


def add_watching_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plain", action="store_true", help="lines also on a terminal")


async def watch(client: Client, args: argparse.Namespace, task_id: str, kind: str, after: int = 0) -> int:
    """Return 0 if the task completed.

    When the task waits for approval, a user at a terminal is prompted; elsewhere a line shows how to approve,
    and watching continues.
    """
    args.task_id = task_id
    display = display_for(args, kind)
    screen = await _screen(client, args, kind, display)
    pause_at = set() if args.json else {"approval"}
    while True:
        followed = await follow(client, task_id, screen, after, pause_at=pause_at)
        if followed.is_over:
            return _end(args, await client.task(task_id), display)
        after = followed.last
        if not is_paused(await client.task(task_id)):
            continue
        if not _is_interactive(args):
            print(printable(f"{'':<14} it waits for: gencode approve {task_id}"), flush=True)
        elif not await ask_for_approval(client, task_id, reviewer_for(args, kind)):
            print(printable(f"it waits on; come back with: gencode approve {task_id}"), flush=True)
            return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """How far `follow` came: the id of the last event that was shown, and whether it was the task's last."""

    last: int
    is_over: bool


async def follow(
    client: Client, task_id: str, screen: Screen, after: int = 0, pause_at: Collection[str] = ()
) -> Followed:
    """Show the events after `after` until the task is over, or an event of a kind in `pause_at` was shown."""
    with screen:
        stream = client.events(task_id, after, include=["progress"], notice=screen.interrupted)
        async with aclosing(stream) as messages:
            async for message in messages:
                screen.show(message)
                after = message.id or after
                if message.kind in pause_at:
                    return Followed(last=after, is_over=False)
    return Followed(last=after, is_over=True)


async def _screen(client: Client, args: argparse.Namespace, kind: str, display: KindDisplay) -> Screen:
    if args.json:
        return JSONScreen()
    if not sys.stdout.isatty() or args.plain:
        return LineScreen(display)
    described = next((one for one in await client.kinds() if one["name"] == kind), None)
    # Imported here only: rich takes longer to load than many a command takes to run.
    live: Any = import_module("gencode.cli.display.live_display")
    screen: Screen = live.live_screen(display, display.merged_stages(described))
    return screen


def _is_interactive(args: argparse.Namespace) -> bool:
    return not args.json and sys.stdin.isatty() and sys.stdout.isatty()


def _end(args: argparse.Namespace, task: Task, display: KindDisplay) -> int:
    if args.json:
        print(as_json({"event": "task", "id": 0, "data": task}), flush=True)
    elif task["status"] == "completed" and (command := clone_command(task)):
        print(printable(f"\n{command}"), flush=True)
    elif task["status"] == "failed":
        print(printable(f"\n{retry_hint(task, display)}"), flush=True)
    return 0 if task["status"] == "completed" else 1
