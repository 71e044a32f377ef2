"""gencode estimate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.client import Client
from gencode.commands import request, service
from gencode.commands.output import show


def arguments(parser: argparse.ArgumentParser) -> None:
    request.arguments(parser)
    service.arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    return service.run(_estimate, chosen)


async def _estimate(client: Client, chosen: argparse.Namespace) -> int:
    made = await client.estimate(request.prompt(chosen), chosen.repo, **request.options(chosen))
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
