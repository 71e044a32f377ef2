"""gencode retry ID"""

from __future__ import annotations

import argparse

from gencode.cli import generate_arguments, service, watching
from gencode.cli.output import show
from gencode.client import Client


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument(
        "--best-effort", action="store_true", help="push even what the checks found faults in, from now on"
    )
    generate_arguments.limits(parser)
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    watching.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_retry, chosen)


async def _retry(client: Client, chosen: argparse.Namespace) -> int:
    before = await client.task(chosen.task_id)
    changes = generate_arguments.limits_of(chosen)
    if chosen.best_effort:
        changes["deliver"] = "best_effort"
    task = await client.retry(chosen.task_id, **changes)
    goes_on = f"task {task['task_id']} goes on: {task['message']}"
    if chosen.follow:
        show(chosen, {"event": "accepted", "id": 0, "data": task}, [goes_on])
        return await watching.watch(client, chosen, chosen.task_id, before["last_event_id"])
    show(chosen, task, [goes_on, f"follow it with: gencode watch {task['task_id']}"])
    return 0
