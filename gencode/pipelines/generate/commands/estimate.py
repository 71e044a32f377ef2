"""gencode estimate PROMPT --repo NAME"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.client import Client
from gencode.pipelines.generate.commands.estimate_lines import cost_text, template_lines, token_text
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
    lines = [
        f"model   {estimate['model']}",
        f"tokens  {token_text(estimate)}",
        f"cost    {cost_text(estimate)}",
        f"basis   {estimate['basis']}",
    ]
    write(args, estimate, [*lines, *template_lines(estimate)])
    return 0
