"""gencode blueprint validate|diff|import|export

Each verb is a module with `add_verb(verbs)`. Another part adds a verb as an extension of the command:

    def add_arguments(parser):
        parse = parser.get_default("verbs").add_parser("parse", help="...")
        parse.set_defaults(run=run)
"""

from __future__ import annotations

import argparse

from gencode.cli.commands.blueprint import diff, export, import_, validate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    parser.set_defaults(verbs=verbs)
    for verb in (validate, diff, import_, export):
        verb.add_verb(verbs)


def run(args: argparse.Namespace) -> int:
    """Every verb has a function of its own."""
    raise AssertionError(args.verb)
