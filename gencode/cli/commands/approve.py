"""gencode approve ID"""

from __future__ import annotations

import argparse
import sys

from gencode.cli import service
from gencode.cli.output import show
from gencode.cli.plan_approval import approve, edit, plan_lines
from gencode.client import Client
from gencode.domain.errors import StartError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id")
    parser.add_argument("--edit", action="store_true", help="change the plan in $EDITOR first")
    parser.add_argument("--yes", action="store_true", help="approve without asking")
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_approve, chosen)


async def _approve(client: Client, chosen: argparse.Namespace) -> int:
    plan = await client.plan(chosen.task_id)
    if chosen.edit:
        plan = await edit(client, chosen.task_id, plan)
    if chosen.yes:
        approved = await client.approve(chosen.task_id, revision=plan["revision"])
        show(chosen, approved, [*plan_lines(plan), "approved"])
        return 0
    if chosen.json:
        show(chosen, plan, [])
        return 0
    if not sys.stdin.isatty():
        raise StartError("nobody is there to ask: add --yes to approve, or --json to read the plan")
    return 0 if await approve(client, chosen, chosen.task_id) else 1
