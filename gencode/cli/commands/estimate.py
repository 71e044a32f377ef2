"""gencode estimate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.cli import generate_arguments, service
from gencode.cli.output import show
from gencode.client import Client


def arguments(parser: argparse.ArgumentParser) -> None:
    generate_arguments.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_estimate, chosen)


async def _estimate(client: Client, chosen: argparse.Namespace) -> int:
    made = await client.estimate(
        generate_arguments.prompt(chosen), chosen.repo, **generate_arguments.options(chosen)
    )
    tokens, cost = made["completion_tokens"], made["cost"]
    money = f"{cost['low']} to {cost['high']}" if cost else "unknown: no price for this model in PRICES"
    lines = [
        f"model   {made['model']}",
        f"tokens  {made['prompt_tokens']} of prompts, {tokens['low']} to {tokens['high']} of answers",
        f"cost    {money}",
        f"basis   {made['basis']}",
    ]
    show(chosen, made, lines)
    return 0
