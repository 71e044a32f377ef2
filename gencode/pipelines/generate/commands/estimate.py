"""gencode estimate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client
from gencode.pipelines.generate.commands.request_arguments import (
    add_request_arguments,
    prompt,
    request_options,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_request_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_estimate, args)


async def _estimate(client: Client, args: argparse.Namespace) -> int:
    estimate = await client.estimate(prompt(args), args.repo, **request_options(args))
    tokens, cost = estimate["completion_tokens"], estimate["cost"]
    money = f"{cost['low']} to {cost['high']}" if cost else "unknown: no price for this model in PRICES"
    lines = [
        f"model   {estimate['model']}",
        f"tokens  {estimate['prompt_tokens']} of prompts, {tokens['low']} to {tokens['high']} of answers",
        f"cost    {money}",
        f"basis   {estimate['basis']}",
    ]
    write(args, estimate, lines)
    return 0
