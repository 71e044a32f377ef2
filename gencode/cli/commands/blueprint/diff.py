"""gencode blueprint diff OLD NEW"""

from __future__ import annotations

import argparse

from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, blueprint_of
from gencode.cli.output import write


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "diff", help="what differs between two blueprints, by the ids of their elements"
    )
    parser.add_argument("old", metavar="OLD", help="the older document, JSON; - is standard input")
    parser.add_argument("new", metavar="NEW", help="the newer document")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from gencode.blueprints import normalised  # noqa: PLC0415 - with pydantic
    from gencode.blueprints.comparison import compare, describe, json_patch  # noqa: PLC0415

    old, new = normalised(blueprint_of(args.old)), normalised(blueprint_of(args.new))
    operations = compare(old, new)
    lines = [describe(one, args.language) for one in operations]
    shown = [
        {"type": one.type.value, "element": one.element, "text": line}
        for one, line in zip(operations, lines, strict=True)
    ]
    document = {"operations": shown, "patch": json_patch(old, new)}
    write(args, document, lines or ["no differences"])
    return 0
