"""gencode requirements FILE"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.display.event_printers import LineScreen
from gencode.cli.display.kind_display import KindDisplay, display_for, event_line
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import as_json, printable
from gencode.cli.task_hints import retry_hint
from gencode.cli.watching import follow
from gencode.client import Client, Message
from gencode.domain.errors import StartError

UPLOAD, SUBMIT = "/api/v1/requirements/upload", "/api/v1/pipelines/requirement-analysis"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a document: .txt, .md, .pdf, .doc or .docx")
    parser.add_argument("--name", help="of the document (default: the file's)")
    parser.add_argument(
        "--previous", metavar="ID", help="the document of which this is a new version: ids are kept"
    )
    parser.add_argument("--template", metavar="ID", help="a prompt template with further wishes")
    parser.add_argument("--model", help="provider, provider/model-id, or config/ID")
    add_limit_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Standard output has the requirements alone: Markdown, or JSON with --json."""
    try:
        data = args.file.read_bytes()
    except OSError as error:
        raise StartError(f"{args.file} cannot be read: {error.strerror}") from None
    return run_with_client(lambda client, args: _requirements(client, args, data), args)


class _Progress(LineScreen):
    """On standard error."""

    def show(self, message: Message) -> None:
        if line := event_line(message, self._display):
            print(line, file=sys.stderr, flush=True)


async def _requirements(client: Client, args: argparse.Namespace, data: bytes) -> int:
    display = display_for(args, "requirement_analysis")
    given = {"name": args.name, "previous_id": args.previous}
    fields = {name: value for name, value in given.items() if value is not None}
    document = await client.upload(UPLOAD, args.file.name, data, fields=fields)
    if not await _completes(client, args, display, document["parse_task_id"]):
        return 1
    submitted = await client.submit_to(SUBMIT, _body(args, document["id"]))
    if not await _completes(client, args, display, submitted["task_id"]):
        return 1
    await _print(client, args)
    return 0


def _body(args: argparse.Namespace, document_id: str) -> dict[str, Any]:
    given = {"template_id": args.template, "model": args.model, **given_limits(args)}
    return {
        "document_id": document_id,
        **{name: value for name, value in given.items() if value is not None},
    }


async def _completes(client: Client, args: argparse.Namespace, display: KindDisplay, task_id: str) -> bool:
    """Follows a task; what to do about one that failed is printed."""
    args.task_id = task_id
    await follow(client, task_id, _Progress(display))
    over = await client.task(task_id)
    if over["status"] == "failed":
        print(printable(retry_hint(over, display)), file=sys.stderr)
    return over["status"] == "completed"


async def _print(client: Client, args: argparse.Namespace) -> None:
    if args.json:
        print(as_json(json.loads(await client.result(args.task_id, "requirements"))))
    else:
        text = (await client.result(args.task_id, "requirements.md")).decode()
        print(printable(text), end="")
