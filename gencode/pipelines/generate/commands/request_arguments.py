"""The arguments of the command line that `generate` and `estimate` have in common."""

from __future__ import annotations

import argparse
import sys

from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.client import Options
from gencode.domain.errors import StartError


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument("--callback", metavar="URL", help="URL that gets each status (docs/webhooks.md)")
    add_limit_arguments(parser)


def prompt(args: argparse.Namespace) -> str:
    """Raises StartError for standard input that is no text."""
    if args.prompt != "-":
        return str(args.prompt)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise StartError(f"the prompt on standard input is not UTF-8: {error}") from None


def request_options(args: argparse.Namespace) -> Options:
    """The options that were given; the service chooses the others."""
    return Options(
        model=args.model,
        host=args.host,
        github_org=args.org,
        private=False if args.public else None,
        allow_secrets=args.allow_secrets or None,
        deliver="best_effort" if args.best_effort else None,
        cache=args.cache,
        callback_url=args.callback,
        **given_limits(args),
    )
