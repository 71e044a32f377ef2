"""gencode retry ID"""

from __future__ import annotations

import argparse

from gencode.client import Client
from gencode.commands import following, request, service
from gencode.commands.output import show


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument(
        "--best-effort", action="store_true", help="push even what the checks found faults in, from now on"
    )
    request.limits(parser)
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    following.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_retry, chosen)


async def _retry(client: Client, chosen: argparse.Namespace) -> int:
    before = await client.task(chosen.task_id)
    changes = request.limits_of(chosen)
    if chosen.best_effort:
        changes["deliver"] = "best_effort"
    task = await client.retry(chosen.task_id, **changes)
    goes_on = f"task {task['task_id']} goes on: {task['message']}"
    if chosen.follow:
        show(chosen, {"event": "accepted", "id": 0, "data": task}, [goes_on])
        return await following.watch(client, chosen, chosen.task_id, before["last_event_id"])
    show(chosen, task, [goes_on, f"follow it with: gencode watch {task['task_id']}"])
    return 0
