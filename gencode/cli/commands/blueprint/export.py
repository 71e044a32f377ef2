"""gencode blueprint export FILE|ID"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, blueprint_of, is_id
from gencode.cli.output import as_json, printable
from gencode.client import Client
from gencode.domain.errors import StartError

FORMATS = ("blueprint", "dbml", "sql")


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser("export", help="write a blueprint, or its data models as DBML or SQL")
    parser.add_argument("blueprint", metavar="FILE|ID", help="a document, or the id of one of the service")
    parser.add_argument("--format", choices=FORMATS, default="blueprint")
    parser.add_argument("--dialect", choices=("postgres", "mysql"), default="postgres", help="of SQL")
    parser.add_argument("--out", type=Path, metavar="FILE", help="in place of standard output")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if is_id(args.blueprint):
        return run_with_client(_by_service, args)
    return _write(args, _exported(args))


async def _by_service(client: Client, args: argparse.Namespace) -> int:
    params = {"format": args.format, "dialect": args.dialect}
    return _write(args, await client.text(f"/blueprints/{args.blueprint}/export", params=params))


def _exported(args: argparse.Namespace) -> str:
    """Raises StartError for a document with errors, whose tables may have no names."""
    from gencode.blueprints import is_valid, normalised, validate  # noqa: PLC0415 - with pydantic
    from gencode.blueprints.exporting import Dialect, exported_dbml, exported_sql  # noqa: PLC0415

    blueprint = normalised(blueprint_of(args.blueprint))
    if args.format == "blueprint":
        document = blueprint.model_dump(mode="json", by_alias=True)
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if not is_valid(validate(blueprint)):
        raise StartError(f"{args.blueprint} has errors: see gencode blueprint validate {args.blueprint}")
    if args.format == "dbml":
        return exported_dbml(blueprint)
    return exported_sql(blueprint, Dialect(args.dialect))


def _write(args: argparse.Namespace, text: str) -> int:
    if args.json:
        print(as_json({"format": args.format, "text": text}), flush=True)
    elif args.out:
        try:
            args.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StartError(f"{args.out} cannot be written: {error.strerror}") from None
    else:
        print(printable(text) if sys.stdout.isatty() else text, end="", flush=True)
    return 0
