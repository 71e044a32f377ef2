"""gencode knowledge create|list|add|search"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.output import counted, write
from gencode.cli.rows import file_bytes, pages
from gencode.client import Client
from gencode.domain.errors import StartError

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
LONGEST = 300
NAMED = 5
"""Characters of a chunk that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    create = verbs.add_parser("create", help="make a base")
    create.add_argument("name")
    create.add_argument("--encoder", choices=("none", "offline", "model"), default="none")
    create.add_argument(
        "--encoder-config", metavar="config/ID", help="with --encoder model: the model config"
    )
    create.add_argument("--encoder-model", metavar="MODEL", help="the model at its API, if another one")
    create.add_argument("--public", action="store_true", help="others may read and search it")
    listing = verbs.add_parser("list", help="list your bases, and public ones")
    add = verbs.add_parser("add", help="upload documents, and wait until they are indexed")
    add.add_argument("base", help="the base's id or name")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".txt, .md, .pdf, .doc or .docx")
    search = verbs.add_parser("search", help="the best passages for a question")
    search.add_argument("base", help="the base's id or name")
    search.add_argument("query")
    search.add_argument("--limit", type=int, default=5, help="at most so many passages (5)")
    for verb in (create, listing, add, search):
        verb.allow_abbrev = False
        add_service_arguments(verb)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_VERBS[args.verb], args)


async def _create(client: Client, args: argparse.Namespace) -> int:
    given = {"encoder_config": args.encoder_config, "encoder_model": args.encoder_model}
    chosen = {name: value for name, value in given.items() if value is not None}
    body = {"name": args.name, "encoder": args.encoder, "is_public": args.public, **chosen}
    made = await client.call("POST", "/knowledge/bases", body=body)
    write(args, made, [f"{made['id']}  {made['name']}"])
    return 0


async def _list(client: Client, args: argparse.Namespace) -> int:
    bases = [base async for base in _pages(client, {})]
    write(args, {"bases": bases}, _base_lines(bases))
    return 0


async def _add(client: Client, args: argparse.Namespace) -> int:
    """Each file is uploaded before the next one is read. Returns 1 if one was not indexed."""
    base = await _base_id(client, args.base)
    added = [await _upload(client, base, file) for file in args.files]
    documents = [await _indexed(client, base, document) for document in added]
    write(args, {"documents": documents}, map(_document_line, documents))
    return int(any(document["processing_status"] != "completed" for document in documents))


async def _search(client: Client, args: argparse.Namespace) -> int:
    path = f"/knowledge/bases/{await _base_id(client, args.base)}/search"
    body = {"query": args.query, "limit": args.limit}
    found = await client.call("POST", path, body=body, is_repeatable=True)
    write(args, found, _found_lines(found))
    return 0


_VERBS = {"create": _create, "list": _list, "add": _add, "search": _search}


async def _base_id(client: Client, given: str) -> str:
    """Raises StartError for a name that no base or several have."""
    if _ID.fullmatch(given):
        return given
    named = [base["id"] async for base in _pages(client, {"q": given}) if base["name"] == given]
    if len(named) != 1:
        what = "no base has" if not named else f"{len(named)} bases have"
        raise StartError(f"{what} the name {given!r}: give its id (gencode knowledge list)")
    return str(named[0])


async def _pages(client: Client, params: dict[str, str]) -> Any:
    async for page in pages(client, "/knowledge/bases", params):
        for base in page["items"]:
            yield base


async def _upload(client: Client, base: str, file: Path) -> dict[str, Any]:
    data = await file_bytes(file)
    path = f"/knowledge/bases/{base}/documents/upload"
    added: dict[str, Any] = await client.call("POST", path, file=(file.name, data), is_repeatable=True)
    return added


async def _indexed(client: Client, base: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document, when its task is over."""
    if document["processing_status"] in ("pending", "processing"):
        await client.wait(document["task_id"])
    path = f"/knowledge/bases/{base}/documents/{quote(document['id'], safe='')}"
    shown: dict[str, Any] = await client.call("GET", path)
    return shown


def _base_lines(bases: list[dict[str, Any]]) -> Iterator[str]:
    for base in bases:
        state = (
            "" if base["is_complete"] else f", {base['pending_count']} wait, {base['failed_count']} failed"
        )
        yield f"{base['id']}  {base['name']}  {counted(base['document_count'], 'document')}{state}"
    if not bases:
        yield "no bases"


def _document_line(document: dict[str, Any]) -> str:
    if document["processing_status"] == "completed":
        return f"{document['name']}: {counted(document['chunk_count'], 'chunk')}"
    return f"{document['name']}: {document['error_code']}: {document['error_message']}"


def _found_lines(found: dict[str, Any]) -> Iterator[str]:
    for source in found["sources"]:
        page = f", page {source['page']}" if source.get("page") else ""
        text = " ".join(source["text"].split())
        yield f"{source['document_name']}{page}"
        yield f"    {text[:LONGEST]}{'...' if len(text) > LONGEST else ''}"
    if not found["sources"]:
        yield "nothing found"
    if not found["is_complete"]:
        names = ", ".join(str(one["document_name"]) for one in found["missing"][:NAMED])
        more = ", ..." if found["missing_count"] > NAMED else ""
        yield f"without {counted(found['missing_count'], 'document')} not indexed, or not yet: {names}{more}"
