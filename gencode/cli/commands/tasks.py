"""gencode tasks"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gencode.cli.output import write
from gencode.cli.service_options import add_service_arguments, run_with_client
from gencode.client import Client, Task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status", action="append", default=[], help="only these; repeatable, or with commas"
    )
    parser.add_argument("--limit", type=int, default=20, help="at most so many (20); 0: all")
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_tasks, args)


async def _tasks(client: Client, args: argparse.Namespace) -> int:
    tasks = [task async for task in client.tasks(status=args.status, limit=args.limit or None)]
    write(args, {"tasks": tasks}, _lines(tasks))
    return 0


def _lines(tasks: list[Task]) -> Iterator[str]:
    """A task without a repository is named by its kind."""
    for task in tasks:
        at = task["created_at"][:16].replace("T", " ")
        error = task.get("error")
        result = task.get("repo_url") or (error["code"] if error else "")
        name = task.get("repo_name") or task.get("kind", "")
        yield f"{task['task_id']}  {at}  {task['status']:<13}  {name}  {result}".rstrip()
    if not tasks:
        yield "no tasks"
