"""gencode secrets rotate"""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from gencode.bootstrap.extra_imports import workspace_module
from gencode.cli.output import write
from gencode.settings import load_encryption


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    rotate = verbs.add_parser(
        "rotate",
        help="encrypt all with the first key of ENCRYPTION_KEY; exit status 1 if one cannot be read",
    )
    rotate.allow_abbrev = False
    rotate.add_argument("--json", action="store_true", help="JSON for scripts")
    rotate.add_argument("--data-dir", type=Path, help="the service's folder (DATA_DIR)")


def run(args: argparse.Namespace) -> int:
    module = workspace_module("gencode.bootstrap.secret_administration")
    settings = load_encryption()
    if args.data_dir:
        settings = settings.model_copy(update={"data_dir": args.data_dir.expanduser().absolute()})
    found = anyio.run(module.rotate, settings)
    document = {
        "key": found.key_id,
        "changed": found.changed,
        "kept": found.kept,
        "unreadable": list(found.unreadable),
    }
    lines = [
        f"{found.changed} secrets are encrypted with the key {found.key_id} now, {found.kept} were before"
    ]
    if found.unreadable:
        lines.append(f"{len(found.unreadable)} cannot be decrypted: add their key, or enter them anew:")
        lines += [f"  {place}" for place in found.unreadable]
    write(args, document, lines)
    return 1 if found.unreadable else 0
