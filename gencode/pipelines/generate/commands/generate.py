"""gencode generate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.cli.watching import add_watching_arguments, watch
from gencode.client import Client
from gencode.pipelines.generate.commands.request_arguments import (
    add_request_arguments,
    prompt,
    request_options,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_request_arguments(parser)
    parser.add_argument(
        "--approve-plan",
        action="store_true",
        help="wait with the plan until it is approved (gencode approve)",
    )
    parser.add_argument("--follow", action="store_true", help="show progress until it is done")
    add_watching_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_generate, args)


async def _generate(client: Client, args: argparse.Namespace) -> int:
    options = request_options(args)
    options["approve_plan"] = args.approve_plan or None
    task = await client.submit(prompt(args), args.repo, **options)
    args.task_id = task["task_id"]
    if args.follow:
        write(args, {"event": "accepted", "id": 0, "data": task}, [f"task {task['task_id']}"])
        return await watch(client, args, task["task_id"], "generate")
    write(args, task, [f"task {task['task_id']}", f"follow it with: gencode watch {task['task_id']}"])
    return 0
