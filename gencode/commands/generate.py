"""gencode generate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.client import Client
from gencode.commands import following, request, service
from gencode.commands.output import show


def arguments(parser: argparse.ArgumentParser) -> None:
    request.arguments(parser)
    parser.add_argument(
        "--approve-plan",
        action="store_true",
        help="wait with the plan until it is approved (gencode approve)",
    )
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    following.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_generate, chosen)


async def _generate(client: Client, chosen: argparse.Namespace) -> int:
    asked = request.options(chosen)
    asked["approve_plan"] = chosen.approve_plan or None
    task = await client.submit(request.prompt(chosen), chosen.repo, **asked)
    chosen.task_id = task["task_id"]
    if chosen.follow:
        show(chosen, {"event": "accepted", "id": 0, "data": task}, [f"task {task['task_id']}"])
        return await following.watch(client, chosen, task["task_id"])
    show(chosen, task, [f"task {task['task_id']}", f"follow it with: gencode watch {task['task_id']}"])
    return 0
