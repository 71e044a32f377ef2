"""Options that limit what a task may cost, for every kind that calls models."""

from __future__ import annotations

import argparse

from gencode.client import Options


def add_limit_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument("--max-tokens", type=int, help="stop before a model call that could pass it")
    group.add_argument("--max-cost", help="the same in money, as a decimal number (needs PRICES)")
    group.add_argument("--deadline", help="ask nothing of the model after it: 2030-01-31T18:00:00Z")


def given_limits(args: argparse.Namespace) -> Options:
    """The limits that were given; the service chooses the others."""
    limits = Options()
    if args.max_tokens is not None:
        limits["max_tokens"] = args.max_tokens
    if args.max_cost is not None:
        limits["max_cost"] = args.max_cost
    if args.deadline is not None:
        limits["deadline"] = args.deadline
    return limits
