"""gencode watch ID"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.watching import add_watching_arguments, watch
from gencode.client import Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument(
        "--after", type=int, default=0, metavar="N", help="begin after the event with this id"
    )
    add_watching_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_watch, args)


async def _watch(client: Client, args: argparse.Namespace) -> int:
    # Unlike the event stream, this does not wait for a service that is down: it fails within a second.
    task = await client.task(args.task_id)
    return await watch(client, args, args.task_id, task.get("kind", ""), args.after)
