"""gencode blueprint diff OLD NEW"""

from __future__ import annotations

import argparse
from typing import Any

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, blueprint_of, is_id
from gencode.cli.output import write
from gencode.client import Client


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "diff", help="what differs between two blueprints, by the ids of their elements"
    )
    parser.add_argument("old", metavar="OLD", help="the older document, JSON; or its id in the service")
    parser.add_argument("new", metavar="NEW", help="the newer one; - is standard input")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if is_id(args.old) and is_id(args.new):
        return run_with_client(_by_service, args)
    from gencode.blueprints import normalised  # noqa: PLC0415 - with pydantic
    from gencode.blueprints.comparison import compare, describe, json_patch  # noqa: PLC0415

    old, new = normalised(blueprint_of(args.old)), normalised(blueprint_of(args.new))
    operations = [
        {"type": one.type.value, "element": one.element, "text": describe(one, args.language)}
        for one in compare(old, new)
    ]
    return _report(args, {"operations": operations, "patch": json_patch(old, new)})


async def _by_service(client: Client, args: argparse.Namespace) -> int:
    path, params = f"/blueprints/{args.new}/diff", {"from": args.old}
    return _report(args, await client.call("GET", path, params=params, language=args.language))


def _report(args: argparse.Namespace, comparison: dict[str, Any]) -> int:
    write(args, comparison, [one["text"] for one in comparison["operations"]] or ["no differences"])
    return 0
