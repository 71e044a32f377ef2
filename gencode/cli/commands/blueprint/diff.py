"""gencode blueprint diff OLD NEW [--migration DATABASE]"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, blueprint_of, is_id
from gencode.cli.output import write
from gencode.client import Client
from gencode.domain.errors import StartError

if TYPE_CHECKING:
    from gencode.blueprints import Blueprint

DATABASES = ("postgresql", "mysql")


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "diff", help="what differs between two blueprints, by the ids of their elements"
    )
    parser.add_argument("old", metavar="OLD", help="the older document, JSON; or its id in the service")
    parser.add_argument("new", metavar="NEW", help="the newer one; - is standard input")
    parser.add_argument(
        "--migration", choices=DATABASES, help="also what is done to the tables of such a database"
    )
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
    document: dict[str, Any] = {"operations": operations, "patch": json_patch(old, new)}
    if args.migration:
        steps, revision = _migration(old, new, args.migration, args.language)
        document |= {"migration": steps, "revision": revision}
    return _report(args, document)


async def _by_service(client: Client, args: argparse.Namespace) -> int:
    path, params = f"/blueprints/{args.new}/diff", {"from": args.old}
    if args.migration:
        params["database"] = args.migration
    answer = await client.call("GET", path, params=params, language=args.language)
    steps = answer["migration"]["operations"] if args.migration else []
    return _report(args, {**answer, "migration": steps})


def _report(args: argparse.Namespace, comparison: dict[str, Any]) -> int:
    lines = [one["text"] for one in comparison["operations"]] or ["no differences"]
    if steps := comparison.get("migration"):
        lines += ["", *(_line(step) for step in steps)]
    write(args, comparison, lines)
    return 0


def _migration(old: Blueprint, new: Blueprint, database: str, language: str) -> tuple[list[Any], str]:
    """The steps, and the file of Alembic. Raises StartError."""
    from gencode.blueprints import is_valid, validate  # noqa: PLC0415
    from gencode.blueprints import migrations as made  # noqa: PLC0415 - with the template engine
    from gencode.blueprints.stack import Database, Stack  # noqa: PLC0415

    for blueprint, name in ((old, "older"), (new, "newer")):
        if not is_valid(validate(blueprint)):
            raise StartError(f"the {name} blueprint has errors: gencode blueprint validate shows them")
    stack = Stack(database=Database(database))
    migration = made.migration_between(old, new, stack)
    steps = [
        {
            "text": made.described(one, language),
            "destructive": one.destructive,
            "reason": made.reason(one, language),
        }
        for one in migration.upgrade
    ]
    text = made.revision_text(migration, predecessor=made.INITIAL_REVISION, title="Migration", stack=stack)
    return steps, text if steps else ""


def _line(step: dict[str, Any]) -> str:
    return f"{step['text']} [{step['reason']}]" if step["destructive"] else str(step["text"])
