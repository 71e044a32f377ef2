"""What `generate` and `estimate` ask for."""

from __future__ import annotations

import argparse
import sys

from gencode.client import Options
from gencode.domain.errors import StartError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", help="what to build; - reads it from standard input")
    parser.add_argument("--repo", required=True, help="name of the repository to create")
    parser.add_argument("--model", help="provider, or provider/model-id")
    parser.add_argument("--host", help="Git host, by the name that the service's HOSTS gives it")
    parser.add_argument("--org", help="organisation to create the repository in")
    parser.add_argument("--public", action="store_true", help="publish it (default: private)")
    parser.add_argument(
        "--allow-secrets", action="store_true", help="push even what looks like a secret (default: fail)"
    )
    parser.add_argument(
        "--best-effort", action="store_true", help="push even what the checks found faults in (default: fail)"
    )
    parser.add_argument(
        "--cache", action=argparse.BooleanOptionalAction, help="whether an earlier answer will do"
    )
    parser.add_argument("--callback", metavar="URL", help="address to tell of each status (docs/webhooks.md)")
    limits(parser)


def limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument("--max-tokens", type=int, help="stop before a model call that could pass it")
    group.add_argument("--max-cost", help="the same in money, as a decimal number (needs PRICES)")
    group.add_argument("--deadline", help="ask nothing of the model after it: 2030-01-31T18:00:00Z")


def prompt(chosen: argparse.Namespace) -> str:
    if chosen.prompt != "-":
        return str(chosen.prompt)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise StartError(f"the prompt on standard input is not UTF-8: {error}") from None


def options(chosen: argparse.Namespace) -> Options:
    """Only what was said: the rest is the service's to choose."""
    return Options(
        model=chosen.model,
        host=chosen.host,
        github_org=chosen.org,
        private=False if chosen.public else None,
        allow_secrets=chosen.allow_secrets or None,
        deliver="best_effort" if chosen.best_effort else None,
        cache=chosen.cache,
        callback_url=chosen.callback,
        **limits_of(chosen),
    )


def limits_of(chosen: argparse.Namespace) -> Options:
    found = Options()
    if chosen.max_tokens is not None:
        found["max_tokens"] = chosen.max_tokens
    if chosen.max_cost is not None:
        found["max_cost"] = chosen.max_cost
    if chosen.deadline is not None:
        found["deadline"] = chosen.deadline
    return found
