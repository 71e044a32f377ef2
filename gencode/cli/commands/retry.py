"""gencode retry ID

A kind's extension may add options that append pairs to `args.changes`: a field of the request, and its new
value.
"""

from __future__ import annotations

import argparse
from typing import cast

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import write
from gencode.cli.watching import add_watching_arguments, watch
from gencode.client import Client, RetryOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.set_defaults(changes=None)
    add_limit_arguments(parser)
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    add_watching_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_retry, args)


async def _retry(client: Client, args: argparse.Namespace) -> int:
    before = await client.task(args.task_id)
    changes = cast("RetryOptions", given_limits(args) | dict(args.changes or ()))
    task = await client.retry(args.task_id, **changes)
    goes_on = f"task {task['task_id']} goes on: {task['message']}"
    if args.follow:
        write(args, {"event": "accepted", "id": 0, "data": task}, [goes_on])
        return await watch(client, args, args.task_id, before.get("kind", ""), before["last_event_id"])
    write(args, task, [goes_on, f"follow it with: gencode watch {task['task_id']}"])
    return 0
