"""gencode tasks"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client, Task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status", action="append", default=[], help="only these; repeatable, or with commas"
    )
    parser.add_argument("--limit", type=int, default=20, help="at most so many (20); 0: all")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        "--all",
        action="store_const",
        dest="client",
        const="*",
        help="of all clients; needs an operator's key",
    )
    whose.add_argument("--client", metavar="NAME", help="of this client; needs an operator's key")
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_tasks, args)


async def _tasks(client: Client, args: argparse.Namespace) -> int:
    tasks = [
        task async for task in client.tasks(status=args.status, limit=args.limit or None, client=args.client)
    ]
    write(args, {"tasks": tasks}, _lines(tasks, shows_client=args.client is not None))
    return 0


def _lines(tasks: list[Task], *, shows_client: bool) -> Iterator[str]:
    """A task without a repository is named by its kind."""
    for task in tasks:
        at = task["created_at"][:16].replace("T", " ")
        error = task.get("error")
        result = task.get("repo_url") or (error["code"] if error else "")
        name = task.get("repo_name") or task.get("kind", "")
        client = f"{task.get('client', ''):<12}  " if shows_client else ""
        yield f"{task['task_id']}  {at}  {task['status']:<13}  {client}{name}  {result}".rstrip()
    if not tasks:
        yield "no tasks"
