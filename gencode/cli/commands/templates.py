"""gencode templates list|upload|prove|publish|download|apply"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import counted, printable, write
from gencode.cli.rows import file_bytes, given, pages
from gencode.client import BadArchive, Client, unpack
from gencode.domain.errors import StartError

MAX_SHOWN = 20
"""Findings of a proof that are shown; --json has all that the service keeps."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    listing = verbs.add_parser("list", help="list your sets, and those that others share")
    listing.add_argument("--framework", help="only sets for it")
    listing.add_argument("--project", metavar="ID", help="only sets of this project")
    upload = verbs.add_parser("upload", help="store a zip with manifest.json as a set, or a version")
    upload.add_argument("file", type=Path, metavar="FILE")
    upload.add_argument("--name", help="default: that of its manifest")
    upload.add_argument("--project", metavar="ID", help="of which it is; default: it is your own")
    upload.add_argument("--version-of", metavar="ID", help="the set of which it is the next version")
    prove = verbs.add_parser("prove", help="render a set for the corpus; status 1 if it is rejected")
    publish = verbs.add_parser("publish", help="let everybody read and apply a proven set")
    download = verbs.add_parser("download", help="write a set as a zip, as an upload takes it")
    apply = verbs.add_parser("apply", help="make the files of a proven set for a blueprint")
    for verb in (prove, publish, download, apply):
        verb.add_argument("id", metavar="ID", help="of the set")
    download.add_argument("--output", type=Path, required=True, metavar="FILE")
    apply.add_argument("blueprint", metavar="BLUEPRINT_ID")
    apply.add_argument("--database", choices=("postgresql", "mysql"), default="postgresql")
    apply.add_argument("--output", type=Path, metavar="DIR", help="write the files there; new or empty")
    for verb in (listing, upload, prove, publish, download, apply):
        verb.allow_abbrev = False
        add_service_arguments(verb)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_VERBS[args.verb], args)


async def _list(client: Client, args: argparse.Namespace) -> int:
    params = given({"framework": args.framework, "project_id": args.project})
    official: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    async for page in pages(client, "/templates", params):
        official = page["official"]
        items += page["items"]
    write(args, {"official": official, "items": items}, map(_line, [*official, *items]))
    return 0


async def _upload(client: Client, args: argparse.Namespace) -> int:
    fields = given({"name": args.name, "project_id": args.project})
    if args.version_of and fields:
        raise StartError("a version has the name and the project of its set: leave --name and --project out")
    data = await file_bytes(args.file)
    stored = await client.upload_template_set(
        args.file.name, data, version_of=args.version_of or "", **fields
    )
    write(args, stored, [_line(stored)])
    return 0


async def _prove(client: Client, args: argparse.Namespace) -> int:
    proven = await client.prove_template_set(args.id)
    write(args, proven, [_line(proven), *_finding_lines(proven["findings"])])
    return int(proven["status"] != "proven")


async def _publish(client: Client, args: argparse.Namespace) -> int:
    stored = await client.call("POST", f"/templates/{args.id}/publish")
    write(args, stored, [_line(stored)])
    return 0


async def _download(client: Client, args: argparse.Namespace) -> int:
    data = await client.data(f"/templates/{args.id}/archive.zip")
    await _written(args.output, data)
    write(args, {"file": str(args.output), "bytes": len(data)}, [f"{args.output}: {len(data)} bytes"])
    return 0


async def _apply(client: Client, args: argparse.Namespace) -> int:
    """Without --output, the files are only listed."""
    if args.output and args.output.exists() and any(args.output.iterdir()):
        raise StartError(f"{args.output} is not empty: name a folder that is new")
    if not args.output:
        body = {"blueprint_id": args.blueprint, "database": args.database}
        applied = await client.call("POST", f"/templates/{args.id}/apply", body=body)
        write(args, applied, (one["path"] for one in applied["files"]))
        return 0
    data = await client.apply_template_set(args.id, args.blueprint, database=args.database)
    try:
        paths = unpack(data, args.output)
    except BadArchive as error:
        raise StartError(str(error)) from None
    document = {"folder": str(args.output), "files": [str(path) for path in paths]}
    write(args, document, [f"{counted(len(paths), 'file')} in {args.output}"])
    return 0


_VERBS = {
    "list": _list,
    "upload": _upload,
    "prove": _prove,
    "publish": _publish,
    "download": _download,
    "apply": _apply,
}


async def _written(file: Path, data: bytes) -> None:
    try:
        await anyio.Path(file).write_bytes(data)
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error.strerror}") from None


def _line(one: dict[str, Any]) -> str:
    whose = "official" if one["is_official"] else one["status"] + (", public" if one["is_public"] else "")
    return f"{one['id']}  {printable(one['name'])}  {one['code']} {one['version_tag']}  {whose}"


def _finding_lines(findings: list[dict[str, Any]]) -> Iterator[str]:
    for one in findings[:MAX_SHOWN]:
        place = f"{one['file']} line {one['line']}" if one["line"] else one["file"]
        blueprint = f"{one['blueprint']}: " if one["blueprint"] else ""
        yield f"    {blueprint}{place}: {one['message']}"
    if len(findings) > MAX_SHOWN:
        yield f"    ... {counted(len(findings), 'finding')} in all"
