"""gencode delete ID"""

from __future__ import annotations

import argparse
import sys

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client
from gencode.domain.errors import StartError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_delete, args)


async def _delete(client: Client, args: argparse.Namespace) -> int:
    task = await client.task(args.task_id)
    if not args.yes and not _is_confirmed(f"{task['status']}: {task['message']}"):
        return 1
    await client.delete(args.task_id)
    write(args, {"task_id": args.task_id, "deleted": True}, ["deleted"])
    return 0


def _is_confirmed(text: str) -> bool:
    """Raises StartError."""
    if not sys.stdin.isatty():
        raise StartError("nobody is there to ask: add --yes to delete the task")
    print(text, file=sys.stderr)
    print("Delete this task with its events and files? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
