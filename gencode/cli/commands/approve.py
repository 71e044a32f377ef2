"""gencode approve ID"""

from __future__ import annotations

import argparse
import sys

from gencode.cli.approval import Review, ask_for_approval, reviewer_for
from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client
from gencode.domain.errors import StartError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument("--edit", action="store_true", help="change the plan in $EDITOR first")
    parser.add_argument("--yes", action="store_true", help="approve without asking")
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_approve, args)


async def _approve(client: Client, args: argparse.Namespace) -> int:
    task = await client.task(args.task_id)
    reviewer = reviewer_for(args, task.get("kind", ""))
    review = await reviewer.read(client, args.task_id)
    if args.edit:
        review = await reviewer.edit(client, args.task_id, review)
    if args.yes:
        return await _approve_unasked(client, args, review)
    if args.json:
        write(args, review.document, [])
        return 0
    if not sys.stdin.isatty():
        raise StartError(
            f"nobody is there to ask: add --yes to approve, or --json to read the {reviewer.noun}"
        )
    return 0 if await ask_for_approval(client, args.task_id, reviewer) else 1


async def _approve_unasked(client: Client, args: argparse.Namespace, review: Review) -> int:
    approved = await client.approve(args.task_id, revision=review.revision)
    write(args, approved, [*review.lines, "approved"])
    return 0
