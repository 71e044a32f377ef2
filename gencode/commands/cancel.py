"""gencode cancel ID"""

from __future__ import annotations

import argparse

from gencode.client import Client
from gencode.commands import service
from gencode.commands.output import show


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_cancel, chosen)


async def _cancel(client: Client, chosen: argparse.Namespace) -> int:
    task = await client.cancel(chosen.task_id)
    show(chosen, task, [f"{task['status']}: {task['message']}"])
    return 0
