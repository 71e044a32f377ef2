"""gencode blueprint import FILE"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, read_text
from gencode.cli.commands.blueprint.validate import finding_lines
from gencode.cli.output import as_json, counted, printable
from gencode.client import Client
from gencode.domain.errors import Malformed, StartError
from gencode.domain.phrase import Phrase

FORMATS = ("sql", "dbml", "jdl", "openapi", "blueprint")
_BY_SUFFIX = {
    ".sql": "sql",
    ".ddl": "sql",
    ".dbml": "dbml",
    ".jdl": "jdl",
    ".jh": "jdl",
    ".yaml": "openapi",
    ".yml": "openapi",
}


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "import",
        help="make a blueprint of SQL, DBML, JDL or OpenAPI; status 1 if it has errors (--url: by a service)",
    )
    parser.add_argument("file", metavar="FILE", help="- is standard input")
    parser.add_argument("--format", choices=FORMATS, help="default: what the name of the file says")
    parser.add_argument(
        "--dialect",
        choices=("postgres", "mysql", "tsql", "oracle", "sqlite"),
        help="of SQL; default: a guess",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the document to it")
    parser.add_argument("--store", action="store_true", help="with --url: as a draft of the service")
    parser.add_argument("--name", help="with --store: of the draft")
    parser.add_argument("--project", metavar="ID", help="with --store: the project of the draft")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    text = read_text(args.file)
    source = args.format or _format_of(args.file, text)
    if args.url:
        return run_with_client(lambda client, _: _by_service(client, args, source, text), args)
    if args.store:
        raise StartError("--store needs the service: add --url")
    return _report(args, _imported(args, source, text))


def _format_of(file: str, text: str) -> str:
    """Raises StartError."""
    suffix = Path(file).suffix.lower()
    if suffix == ".json":
        return "openapi" if '"openapi"' in text[:2000] or '"swagger"' in text[:2000] else "blueprint"
    if suffix not in _BY_SUFFIX:
        raise StartError(f"the name {file} does not say the format: add --format {'|'.join(FORMATS)}")
    return _BY_SUFFIX[suffix]


def _imported(args: argparse.Namespace, source: str, text: str) -> dict[str, Any]:
    """As the service answers. Raises Malformed."""
    from gencode.blueprints import is_valid, validate  # noqa: PLC0415 - with pydantic
    from gencode.blueprints.importing import ImportFailed, SourceFormat  # noqa: PLC0415
    from gencode.blueprints.importing.reading import import_text  # noqa: PLC0415

    try:
        imported = import_text(SourceFormat(source), text, args.dialect or "")
    except ImportFailed as failure:
        raise Malformed(Phrase("{file}: {failure}", file=args.file, failure=failure)) from None
    findings = validate(imported.blueprint)
    return {
        "is_valid": is_valid(findings),
        "spec": imported.blueprint.model_dump(mode="json", by_alias=True),
        "notes": [dict(note.shown(args.language)) for note in imported.notes],
        "findings": [dict(one.shown(args.language)) for one in findings],
        "blueprint": None,
    }


async def _by_service(client: Client, args: argparse.Namespace, source: str, text: str) -> int:
    given = {"dialect": args.dialect, "name": args.name, "project_id": args.project}
    body = {"format": source, "text": text, "store": args.store}
    body |= {name: value for name, value in given.items() if value is not None}
    answer = await client.call("POST", "/blueprints/import", body=body, language=args.language)
    return _report(args, answer)


def _report(args: argparse.Namespace, imported: dict[str, Any]) -> int:
    document = json.dumps(imported["spec"], ensure_ascii=False, indent=2) + "\n"
    if args.out:
        try:
            args.out.write_text(document, encoding="utf-8")
        except OSError as error:
            raise StartError(f"{args.out} cannot be written: {error.strerror}") from None
    if args.json:
        print(as_json(imported), flush=True)
    else:
        for line in _lines(imported):
            print(printable(line), flush=True)
    return int(not imported["is_valid"])


def _lines(imported: dict[str, Any]) -> Iterator[str]:
    for note in imported["notes"]:
        place = f"line {note['line']}: " if note["line"] else ""
        element = f"{note['element']} " if note["element"] else ""
        yield f"note     {place}{element}({note['rule']}): {note['message']}"
    yield from finding_lines(imported["findings"])
    models = len(imported["spec"]["dataModels"])
    told = f"{counted(models, 'data model')}, {counted(len(imported['notes']), 'note')}"
    draft = imported["blueprint"]
    yield f"{told}; draft {draft['id']}" if draft else told
