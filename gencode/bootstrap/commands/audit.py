"""gencode audit verify"""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from gencode.bootstrap.extra_imports import workspace_module
from gencode.cli.output import write
from gencode.settings import DatabaseSettings, load_database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    verify = verbs.add_parser(
        "verify", help="check that no entry was changed, removed or inserted; exit status 1 if one was"
    )
    verify.allow_abbrev = False
    verify.add_argument("--json", action="store_true", help="JSON for scripts")
    verify.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")


def run(args: argparse.Namespace) -> int:
    module = workspace_module("gencode.bootstrap.workspace")
    settings = load_database()
    if args.data_dir:
        settings = DatabaseSettings(data_dir=args.data_dir.expanduser().absolute())
    found = anyio.run(module.verify_audit_log, settings)
    document = {"entries": found.entries, "broken": found.broken, "last": found.last}
    if found.broken is None:
        write(args, document, [f"{found.entries} entries are in order; the last has the HMAC {found.last}"])
        return 0
    write(
        args,
        document,
        [f"entry {found.broken} is missing or was changed; {found.entries} before it are in order"],
    )
    return 1
