"""gencode users create-admin|reset-password"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from gencode.bootstrap.extra_imports import workspace_module
from gencode.cli.output import write
from gencode.domain.errors import StartError
from gencode.settings import DatabaseSettings, load_database

PASSWORD_VARIABLE = "GENCODE_PASSWORD"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    create = verbs.add_parser("create-admin", help="create a user with the role admin")
    create.add_argument("name", help="letters and digits, with . _ - between them")
    create.add_argument("--email", required=True, metavar="ADDRESS")
    reset = verbs.add_parser("reset-password", help="set the password of a user, and end its sessions")
    reset.add_argument("name", help="the user's name")
    for verb in (create, reset):
        verb.allow_abbrev = False
        verb.add_argument("--json", action="store_true", help="JSON for scripts")
        verb.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")
        verb.epilog = f"The password is asked for, or taken from {PASSWORD_VARIABLE}."


def run(args: argparse.Namespace) -> int:
    module = workspace_module("gencode.bootstrap.user_administration")
    settings = load_database()
    if args.data_dir:
        settings = DatabaseSettings(data_dir=args.data_dir.expanduser().absolute())
    password = _password()
    user = anyio.run(_administer, module, settings, args, password)
    done = "is an admin now" if args.verb == "create-admin" else "has the new password"
    write(args, {"id": user.id, "username": user.username, "role": user.role}, [f"{user.username} {done}"])
    return 0


async def _administer(
    module: Any, settings: DatabaseSettings, args: argparse.Namespace, password: str
) -> Any:
    if args.verb == "create-admin":
        return await module.create_admin(settings, args.name, args.email, password)
    return await module.reset_password(settings, args.name, password)


def _password() -> str:
    """Raises StartError without a terminal."""
    if given := os.environ.get(PASSWORD_VARIABLE):
        return given
    if not sys.stdin.isatty():
        raise StartError(f"there is no terminal to ask for the password: set {PASSWORD_VARIABLE}")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise StartError("the two passwords differ")
    return password
