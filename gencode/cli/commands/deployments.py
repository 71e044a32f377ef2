"""gencode deployments list|create|render"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import write
from gencode.cli.rows import file_bytes, given, pages
from gencode.client import Client
from gencode.domain.errors import StartError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    listing = verbs.add_parser("list", help="list deployment configs")
    listing.add_argument("--project", metavar="ID", help="only those of this project")
    create = verbs.add_parser("create", help="store how a project is run in an environment")
    create.add_argument("project", metavar="PROJECT_ID")
    create.add_argument("env_name", metavar="ENVIRONMENT", help="such as production; unique in the project")
    create.add_argument("--name", help="for people; default: the environment")
    create.add_argument(
        "--config", type=Path, metavar="FILE", help="JSON: domain, port, replicas, variables, ..."
    )
    create.add_argument(
        "--secrets", type=Path, metavar="FILE", help="JSON: values by name; they are never shown"
    )
    render = verbs.add_parser("render", help="show a config as files for Compose")
    render.add_argument("id", metavar="ID", help="of the config")
    render.add_argument("--output", type=Path, metavar="DIR", help="write the files there")
    for verb in (listing, create, render):
        verb.allow_abbrev = False
        add_service_arguments(verb)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_VERBS[args.verb], args)


async def _list(client: Client, args: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = []
    async for page in pages(client, "/deployments", given({"project_id": args.project})):
        found += page["items"]
    write(args, {"items": found}, map(_line, found))
    return 0


async def _create(client: Client, args: argparse.Namespace) -> int:
    config = await _json(args.config) if args.config else None
    secrets = await _json(args.secrets) if args.secrets else None
    body = {"project_id": args.project, "name": args.name or args.env_name, "env_name": args.env_name}
    stored = await client.create_deployment(**body, **given({"config_data": config, "secrets": secrets}))
    write(args, stored, [_line(stored)])
    return 0


async def _render(client: Client, args: argparse.Namespace) -> int:
    """What must be filled in is told in any case."""
    rendered = await client.render_deployment(args.id)
    if args.output:
        await _written(args.output, rendered["files"])
    write(args, rendered, _rendered_lines(rendered, args.output))
    return 0


_VERBS = {"list": _list, "create": _create, "render": _render}


async def _json(file: Path) -> Any:
    try:
        return json.loads(await file_bytes(file))
    except (ValueError, RecursionError) as error:
        raise StartError(f"{file} is not JSON: {error}") from None


async def _written(folder: Path, files: list[dict[str, str]]) -> None:
    """The service is trusted with names only: each becomes a file in the folder itself."""
    for one in files:
        if Path(one["path"]).name != one["path"]:
            raise StartError(f"the service names a file outside of {folder}: {one['path'][:200]!r}")
    try:
        await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
        for one in files:
            await anyio.Path(folder / one["path"]).write_text(one["text"], encoding="utf-8")
    except OSError as error:
        raise StartError(f"{folder} cannot be written: {error.strerror}") from None


def _line(one: dict[str, Any]) -> str:
    version = f" {one['deployed_version']}" if one["deployed_version"] else ""
    return f"{one['id']}  {one['env_name']}  {one['name']}  {one['status']}{version}"


def _rendered_lines(rendered: dict[str, Any], folder: Path | None) -> Iterator[str]:
    for one in rendered["files"]:
        yield f"{folder}/{one['path']}" if folder else f"# {one['path']}\n{one['text']}"
    if missing := rendered["missing"]:
        yield f"fill in: {', '.join(missing)}"
