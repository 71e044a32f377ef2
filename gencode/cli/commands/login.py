"""gencode login [NAME]"""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from gencode.cli.client_options import add_service_arguments, run_with_client, service_url
from gencode.cli.login_file import StoredLogin
from gencode.cli.output import write
from gencode.client import Client
from gencode.domain.errors import StartError

PASSWORD_VARIABLE = "GENCODE_PASSWORD"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="your user name or email address")
    parser.add_argument("--user", metavar="NAME", help="the same")
    parser.epilog = f"The password is asked for, or taken from {PASSWORD_VARIABLE}."
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    args.without_login = True
    args.user = args.user or args.name or _asked("user name: ", "--user")
    args.password = os.environ.get(PASSWORD_VARIABLE) or _asked("password: ", PASSWORD_VARIABLE)
    return run_with_client(_log_in, args)


async def _log_in(client: Client, args: argparse.Namespace) -> int:
    tokens = await client.log_in(args.user, args.password)
    StoredLogin(service_url(args)).write(tokens)
    write(
        args,
        {"url": service_url(args), "user": args.user},
        [f"{args.user} is logged in at {service_url(args)}"],
    )
    return 0


def _asked(prompt: str, otherwise: str) -> str:
    """Raises StartError without a terminal."""
    if not sys.stdin.isatty():
        raise StartError(f"there is no terminal to ask on: give {otherwise}")
    return input(prompt) if prompt.startswith("user") else getpass.getpass(prompt)
