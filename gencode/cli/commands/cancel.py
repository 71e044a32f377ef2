"""gencode cancel ID"""

from __future__ import annotations

import argparse

from gencode.cli import service
from gencode.cli.output import show
from gencode.client import Client


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_cancel, chosen)


async def _cancel(client: Client, chosen: argparse.Namespace) -> int:
    task = await client.cancel(chosen.task_id)
    show(chosen, task, [f"{task['status']}: {task['message']}"])
    return 0
