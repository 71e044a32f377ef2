"""gencode generate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.cli import generate_arguments, service, watching
from gencode.cli.output import show
from gencode.client import Client


def arguments(parser: argparse.ArgumentParser) -> None:
    generate_arguments.arguments(parser)
    parser.add_argument(
        "--approve-plan",
        action="store_true",
        help="wait with the plan until it is approved (gencode approve)",
    )
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    watching.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_generate, chosen)


async def _generate(client: Client, chosen: argparse.Namespace) -> int:
    asked = generate_arguments.options(chosen)
    asked["approve_plan"] = chosen.approve_plan or None
    task = await client.submit(generate_arguments.prompt(chosen), chosen.repo, **asked)
    chosen.task_id = task["task_id"]
    if chosen.follow:
        show(chosen, {"event": "accepted", "id": 0, "data": task}, [f"task {task['task_id']}"])
        return await watching.watch(client, chosen, task["task_id"])
    show(chosen, task, [f"task {task['task_id']}", f"follow it with: gencode watch {task['task_id']}"])
    return 0
