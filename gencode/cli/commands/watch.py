"""gencode watch ID"""

from __future__ import annotations

import argparse

from gencode.cli import service, watching
from gencode.client import Client


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument(
        "--after", type=int, default=0, metavar="N", help="begin after the event with this id"
    )
    watching.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_watch, chosen)


async def _watch(client: Client, chosen: argparse.Namespace) -> int:
    await client.task(chosen.task_id)  # a service that is not there is told at once, not waited for
    return await watching.watch(client, chosen, chosen.task_id, chosen.after)
