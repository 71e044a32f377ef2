"""gencode tasks"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gencode.cli import service
from gencode.cli.output import show
from gencode.client import Client, Task


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status", action="append", default=[], help="only these; repeatable, or with commas"
    )
    parser.add_argument("--limit", type=int, default=20, help="at most so many (20); 0: all")
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_tasks, chosen)


async def _tasks(client: Client, chosen: argparse.Namespace) -> int:
    found = [task async for task in client.tasks(status=chosen.status, limit=chosen.limit or None)]
    show(chosen, {"tasks": found}, _lines(found))
    return 0


def _lines(tasks: list[Task]) -> Iterator[str]:
    for task in tasks:
        at = task["created_at"][:16].replace("T", " ")
        result = task["repo_url"] or (task["error"]["code"] if task["error"] else "")
        yield f"{task['task_id']}  {at}  {task['status']:<13}  {task['repo_name']}  {result}".rstrip()
    if not tasks:
        yield "no tasks"
