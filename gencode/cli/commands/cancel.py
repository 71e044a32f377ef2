"""gencode cancel ID"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_cancel, args)


async def _cancel(client: Client, args: argparse.Namespace) -> int:
    task = await client.cancel(args.task_id)
    write(args, task, [f"{task['status']}: {task['message']}"])
    return 0
