"""gencode blueprint validate FILE"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from gencode.cli.client_options import run_with_client
from gencode.cli.commands.blueprint.options import Verbs, add_common_arguments, blueprint_of, read_document
from gencode.cli.output import counted, write
from gencode.client import Client


def add_verb(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "validate", help="show the findings of a blueprint; status 1 if one is an error (--url: by a service)"
    )
    parser.add_argument("file", metavar="FILE", help="its document, JSON; - is standard input")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.url:
        return run_with_client(_by_service, args)
    from gencode.blueprints import is_valid, normalised, validate  # noqa: PLC0415 - with pydantic

    findings = validate(normalised(blueprint_of(args.file)))
    shown = [dict(one.shown(args.language)) for one in findings]
    return _report(args, {"is_valid": is_valid(findings), "findings": shown})


async def _by_service(client: Client, args: argparse.Namespace) -> int:
    body = {"spec": read_document(args.file)}
    examined = await client.call(
        "POST", "/blueprints/validate", body=body, language=args.language, is_repeatable=True
    )
    return _report(args, examined)


def _report(args: argparse.Namespace, examined: dict[str, Any]) -> int:
    document = {"is_valid": examined["is_valid"], "findings": examined["findings"]}
    write(args, document, finding_lines(examined["findings"]))
    return int(not examined["is_valid"])


def finding_lines(findings: list[dict[str, Any]]) -> Iterator[str]:
    """Errors first, as the validator orders them; the last line counts them."""
    for finding in findings:
        place = f"{finding['element']} ({finding['rule']})"
        yield f"{finding['severity']:<8} {place}: {finding['message']}"
    errors = sum(1 for finding in findings if finding["severity"] == "error")
    yield f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}"
