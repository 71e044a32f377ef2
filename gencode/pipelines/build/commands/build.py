"""gencode build BLUEPRINT_ID|FILE [--database mysql] [--deliver NAME] [--regenerate TASK] [--output DIR]"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.commands.blueprint.options import read_document
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import printable
from gencode.cli.watching import add_watching_arguments, watch
from gencode.client import BadArchive, Client, unpack
from gencode.domain.errors import StartError

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("blueprint", metavar="BLUEPRINT_ID|FILE", help="a file becomes a new draft")
    parser.add_argument("--database", choices=("postgresql", "mysql"), help="mysql: also for MariaDB")
    parser.add_argument("--frontend", choices=("vue", "none"), help="default: none")
    parser.add_argument(
        "--template-set", metavar="ID", help="a proven template set whose files are added, or replace others"
    )
    parser.add_argument(
        "--holes",
        choices=("model", "rewrite", "skeleton"),
        help="who writes business flows: the model, again the model, nobody",
    )
    parser.add_argument(
        "--allow-data-loss",
        action="store_true",
        default=None,
        help="do not wait for an approval if the migration to this version may lose data",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="unpack the project there; new or empty")
    parser.add_argument("--deliver", metavar="NAME", help="push it to a new repository of this name")
    parser.add_argument("--org", metavar="ORG", help="the account of that repository")
    parser.add_argument("--host", help="the Git host of that repository")
    parser.add_argument(
        "--regenerate",
        metavar="TASK",
        help="an earlier build, whose stack it has: tell what changes; BLUEPRINT is the newer version",
    )
    parser.add_argument(
        "--update-repository",
        action="store_true",
        default=None,
        help="with --regenerate: push it to the repository of that build; to a branch if somebody changed it",
    )
    parser.add_argument("--model", help="provider, provider/model-id, or config/ID")
    add_limit_arguments(parser)
    add_watching_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_build, args)


async def _build(client: Client, args: argparse.Namespace) -> int:
    """Returns 1 if the task did not complete; what there is of the project is unpacked all the same."""
    if args.output and args.output.exists() and any(args.output.iterdir()):
        raise StartError(f"{args.output} is not empty: name a folder that is new")
    body = _body(args)
    blueprint_id = await _blueprint_id(client, args.blueprint)
    if args.regenerate:
        accepted = await client.regenerate(args.regenerate, blueprint_id=blueprint_id, **body)
    else:
        accepted = await client.build(blueprint_id, **body)
    status = await watch(client, args, accepted["task_id"], "build")
    task: Any = await client.task(accepted["task_id"])
    if args.output and task.get("archive_sha256"):
        await _unpack(client, accepted["task_id"], args)
    return status


async def _blueprint_id(client: Client, named: str) -> str:
    """The id, or that of a new draft. Raises StartError."""
    if _ID.fullmatch(named):
        return named
    spec = read_document(named)
    name = "stdin" if named == "-" else Path(named).stem
    row = await client.call("POST", "/blueprints", body={"name": name[:100] or "blueprint", "spec": spec})
    return str(row["id"])


def _body(args: argparse.Namespace) -> dict[str, Any]:
    stack = {"database": args.database, "frontend": args.frontend}
    deliver = {"repo_name": args.deliver, "github_org": args.org, "host": args.host}
    if not args.deliver and (args.org or args.host):
        raise StartError("--org and --host are for --deliver: name the repository, too")
    if args.update_repository and not args.regenerate:
        raise StartError("--update-repository is for --regenerate: name the earlier build, too")
    if args.regenerate and _given(stack):
        raise StartError("a build that is regenerated keeps its stack: leave --database and --frontend out")
    given: dict[str, Any] = {
        "stack": _given(stack) or None,
        "deliver": _given(deliver) if args.deliver else None,
        "template_set": args.template_set,
        "holes": args.holes,
        "update_repository": args.update_repository,
        "allow_data_loss": args.allow_data_loss,
        "model": args.model,
        **given_limits(args),
    }
    return _given(given)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


async def _unpack(client: Client, task_id: str, args: argparse.Namespace) -> None:
    try:
        paths = unpack(await client.artifact(task_id), args.output)
    except BadArchive as error:
        raise StartError(str(error)) from None
    if not args.json:
        print(printable(f"{len(paths)} files in {args.output}"), flush=True)
